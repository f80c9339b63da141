"""How many jobs one user may submit in a time: an allowance that fills up steadily, and may be used at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

_FORM: Final = re.compile(r"([1-9][0-9]{0,6})/(second|minute|hour|day)")
_SECONDS: Final = {"second": 1.0, "minute": 60.0, "hour": 3_600.0, "day": 86_400.0}


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`amount` jobs in `per_s` seconds. As an allowance: at most `amount`, whole again `per_s` after it was used up."""

    amount: int
    per_s: float

    @property
    def each_s(self) -> float:
        """How long one job's part takes to come back."""
        return self.per_s / self.amount


class Allowance(NamedTuple):
    """What is left of it now, and when it will be whole again."""

    left: int
    whole_in_s: float


def read_rate(text: str) -> RateLimit:
    """`60/minute`. Raises ValueError."""
    found = _FORM.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is no rate")
    return RateLimit(int(found[1]), _SECONDS[found[2]])


def allowance(rate: RateLimit, full_at: float, now: float) -> Allowance:
    """`full_at` is all that is remembered of a user: when their allowance will be whole."""
    whole_in_s = max(0.0, full_at - now)
    return Allowance(int((rate.per_s - whole_in_s) / rate.each_s + 1e-6), whole_in_s)
