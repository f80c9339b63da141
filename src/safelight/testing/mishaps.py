"""What can go wrong at a provider: the words in which a test tells a stand-in how to treat the next request."""

from __future__ import annotations

from enum import StrEnum

from safelight.domain.outcomes import ErrorClass


class Where(StrEnum):
    """Which kind of request a mishap waits for."""

    START = "start"
    """A paid POST."""
    POLL = "poll"
    PROBE = "probe"


class Mishap(StrEnum):
    """One thing that goes wrong. What it looks like in HTTP is the stand-in's, in its provider's manner."""

    BAD_KEY = "bad_key"
    """The answer repeats the key that it refuses: providers do."""
    NO_MONEY = "no_money"
    BUSY = "busy"
    """429, with a header that says when to come again."""
    BUSY_WITHOUT_HEADER = "busy_without_header"
    LOADING = "loading"
    """A cold start: the model is being loaded, with an estimate if the provider gives one."""
    OVERLOADED = "overloaded"
    """503 of a provider that took nothing on."""
    INVALID = "invalid"
    CONTENT_REJECTED = "content_rejected"
    RETIRED = "retired"
    """The model is no longer served."""

    CUT_BEFORE = "cut_before"
    """The connection is cut, and nothing was accepted."""
    CUT_AFTER = "cut_after"
    """The connection is cut, and it was accepted."""
    CUT_MIDWAY = "cut_midway"
    """It was accepted, and the connection is cut in the middle of the answer."""
    HANG = "hang"
    """It was accepted, and no answer ever comes."""
    GARBAGE = "garbage"
    """It was accepted, and the answer is 200 with nonsense."""
    SERVER_ERROR = "server_error"
    GATEWAY_TIMEOUT = "gateway_timeout"

    FAILS = "fails"
    """It is accepted, answered, and fails while it is made."""
    TIMES_OUT = "times_out"
    """It is accepted, and the provider gives up on it because it takes too long."""
    NEW_STATUS = "new_status"
    """It is accepted, and from then on has a status that no documentation knows."""
    EXPIRED = "expired"
    """It is made, but its files are gone when they are asked for."""


REFUSALS = {
    Mishap.BAD_KEY: ErrorClass.UNAUTHORIZED,
    Mishap.NO_MONEY: ErrorClass.OUT_OF_CREDIT,
    Mishap.BUSY: ErrorClass.RATE_LIMITED,
    Mishap.BUSY_WITHOUT_HEADER: ErrorClass.RATE_LIMITED,
    Mishap.LOADING: ErrorClass.COLD_START,
    Mishap.OVERLOADED: ErrorClass.UNAVAILABLE,
    Mishap.INVALID: ErrorClass.INVALID_REQUEST,
    Mishap.CONTENT_REJECTED: ErrorClass.CONTENT_REJECTED,
    Mishap.RETIRED: ErrorClass.MODEL_RETIRED,
}
"""What an adapter makes of each refusal."""

UNKNOWN = (
    Mishap.CUT_BEFORE,
    Mishap.CUT_AFTER,
    Mishap.CUT_MIDWAY,
    Mishap.HANG,
    Mishap.GARBAGE,
    Mishap.SERVER_ERROR,
    Mishap.GATEWAY_TIMEOUT,
)
"""After these nobody can tell whether the request was accepted: `start` raises, and never NotSent."""

RETRY_AFTER_S = 7
"""What BUSY says."""
ESTIMATED_S = 20.0
"""What LOADING says, where the provider gives an estimate."""
