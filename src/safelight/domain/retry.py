"""When to try again: exponential with full jitter, unless the provider named a time."""

from __future__ import annotations

from safelight.domain.outcomes import SNOOZES, ProviderError

BASE_S = 5.0
LONGEST_S = 300.0
MAX_LOST = 5
"""A job whose worker was lost this often is given up: it may be what kills them."""


def delay_s(attempt: int, random: float) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 1); `random` in 0..1 is the jitter."""
    ceiling = min(LONGEST_S, BASE_S * 2.0 ** (attempt - 1))
    return float(ceiling * random)


def retry_after_s(error: ProviderError, attempt: int, random: float) -> float:
    """What the provider asked for wins over our own guess."""
    return error.retry_after_s if error.retry_after_s is not None else delay_s(attempt, random)


def uses_attempt(error: ProviderError) -> bool:
    """Whether this refusal counts as a try. A busy or loading provider never looked at the job."""
    return error.error_class not in SNOOZES
