"""What HTTP answers of all providers have in common: when to come again, and an error in the provider's own words.

Pure: tests feed it answers written from the providers' documentation.
"""

from __future__ import annotations

import email.utils
import math
from collections.abc import Mapping
from datetime import UTC, datetime

from safelight.domain.outcomes import ErrorClass

LONGEST_WAIT_S = 3600.0
"""No provider is believed beyond an hour."""

CLASSES = {
    400: ErrorClass.INVALID_REQUEST,
    401: ErrorClass.UNAUTHORIZED,
    402: ErrorClass.OUT_OF_CREDIT,
    404: ErrorClass.MODEL_RETIRED,
    410: ErrorClass.MODEL_RETIRED,
    413: ErrorClass.INVALID_REQUEST,
    422: ErrorClass.INVALID_REQUEST,
    429: ErrorClass.RATE_LIMITED,
    503: ErrorClass.UNAVAILABLE,
    529: ErrorClass.UNAVAILABLE,
}
"""What a status means at a provider whose documentation says no more. Of a 403 the words decide (`forbidding`). Others
(500, 502, 504) are no answer at all: the request may have been accepted."""
TOOK_NOTHING_ON = frozenset({503, 529})
"""Of the statuses from 500 on, those with which a provider says that it is too busy to begin."""


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds to wait by `retry-after-ms` or `Retry-After`, a number or a date; None if neither can be read.

    `headers` is looked into by lower-case names, as httpx's are.
    """
    if (ms := _number(headers.get("retry-after-ms"))) is not None:
        return _bounded(ms / 1000)
    word = headers.get("retry-after")
    if word is None:
        return None
    if (seconds := _number(word)) is not None:
        return _bounded(seconds)
    try:
        at = email.utils.parsedate_to_datetime(word)
    except ValueError:
        return None
    return _bounded((at - (now or datetime.now(UTC))).total_seconds()) if at.tzinfo else None


def believed_s(seconds: float | None) -> float | None:
    """A wait that was told in words or in a body."""
    return None if seconds is None else _bounded(seconds)


def _number(word: str | None) -> float | None:
    try:
        value = float(word) if word is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _bounded(seconds: float) -> float:
    return min(max(0.0, seconds), LONGEST_WAIT_S)
