"""What to do about a call of which nobody knows whether the provider accepted it."""

from __future__ import annotations

from enum import StrEnum


class UnknownPolicy(StrEnum):
    """The operator's choice. Only the last one may pay twice."""

    RECONCILE = "reconcile"
    """Look for it for a while: by the provider's webhook or list, or our own files; then fail and release."""
    FAIL_AND_RELEASE = "fail_and_release"
    """Fail and release at once; what a lost worker left is looked for once before."""
    RETRY_ONCE = "retry_once"
    """Look once, then make one more call beside it."""


SHORTEST_LOOK_S, LONGEST_LOOK_S = 5.0, 60.0


def look_again_in_s(unknown_s: float) -> float:
    """When to look for it again, after so long: often at first, then once a minute."""
    return min(LONGEST_LOOK_S, max(SHORTEST_LOOK_S, unknown_s / 2))
