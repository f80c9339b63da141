"""What a provider can say about a generation: still going, done, or rejected with one of ten classes of error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from safelight.domain.text import presentable, storable


class ErrorClass(StrEnum):
    """DESIGN §10's classes. What a worker does next depends on the class alone."""

    INVALID_REQUEST = "invalid_request"
    CONTENT_REJECTED = "content_rejected"
    UNAUTHORIZED = "unauthorized"
    OUT_OF_CREDIT = "out_of_credit"
    RATE_LIMITED = "rate_limited"
    COLD_START = "cold_start"
    UNAVAILABLE = "unavailable"
    MODEL_RETIRED = "model_retired"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"


CAN_GET_BETTER = frozenset(
    {ErrorClass.RATE_LIMITED, ErrorClass.COLD_START, ErrorClass.UNAVAILABLE, ErrorClass.TIMEOUT, ErrorClass.PROTOCOL}
)
SNOOZES = frozenset({ErrorClass.RATE_LIMITED, ErrorClass.COLD_START})
"""These wait without using up an attempt: nothing was tried."""
LONGEST_CODE = 200


@dataclass(frozen=True, slots=True)
class ProviderError:
    """Why a provider did not deliver, with its own words: the user always gets to see the real reason.

    The words are made presentable here: they come from outside, and a job must not lack an ending because of them.
    """

    error_class: ErrorClass
    message: str
    provider_code: str | None = None
    retry_after_s: float | None = None
    request_id: str | None = None
    """The provider's own name for the request, for a talk with its support."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", presentable(self.message))
        for name in ("provider_code", "request_id"):
            if (said := getattr(self, name)) is not None:
                object.__setattr__(self, name, presentable(said, LONGEST_CODE))

    @property
    def can_get_better(self) -> bool:
        return self.error_class in CAN_GET_BETTER


@dataclass(frozen=True, slots=True)
class Output:
    """One generated file, in memory. `metadata` may say `seed` and `ai_generated`, for its provenance."""

    data: bytes
    mime: str
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One generated file that is still at the provider. Fetched at once: such URLs expire."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the download needs beside the URL, such as a key. Never logged."""
    duration_s: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    may_come_later: bool = False
    """The provider names addresses before the files are there: that nothing is found means `not yet`."""


Made = Output | RemoteFile


@dataclass(frozen=True, slots=True)
class Pending:
    """The provider has the job; ask again later with `remote_id`."""

    remote_id: str
    progress: float | None = None
    is_queued: bool = False
    """Nothing is made yet: it waits in the provider's own queue, or for a machine to start there."""


@dataclass(frozen=True, slots=True)
class Done:
    """The provider delivered: files, or of a text model its text. `cost_usd` is what it will charge, if it says so.

    `usage` of a text model has `input_tokens` and `output_tokens`, whatever its provider calls them.
    """

    outputs: tuple[Made, ...] = ()
    cost_usd: float | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None
    request_id: str | None = None
    """The provider's own name for the request."""
    cut_short: bool = False
    """The text ends where its user's limit was reached, not where the model would have ended it."""

    def __post_init__(self) -> None:
        if self.text is not None:
            object.__setattr__(self, "text", storable(self.text))
        if self.request_id is not None:
            object.__setattr__(self, "request_id", presentable(self.request_id, LONGEST_CODE))


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider did not accept, or gave up; nothing more will come of this call."""

    error: ProviderError
    usage: Mapping[str, Any] = field(default_factory=dict)
    """What it used all the same, as of `Done`: where the provider tells that, the call has cost something."""


RemoteState = Pending | Done | Rejected
