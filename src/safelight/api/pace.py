"""How often somebody may fail: the newest failures of each, for a while, in this process only."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable

from safelight.domain.clock import local_s
from safelight.domain.errors import RateLimited, Remedy

MOST_REMEMBERED = 10_000


class Pace:
    """`most` in `per_s` seconds, counted for each name; whoever failed longest ago is forgotten first."""

    def __init__(self, most: int, *, per_s: float, now: Callable[[], float] = local_s) -> None:
        self._most, self._per_s, self._now = most, per_s, now
        self._failed_at: OrderedDict[str, deque[float]] = OrderedDict()

    def refuse_if_over(self, name: str, what: str) -> None:
        """Raises RateLimited, with the seconds to wait."""
        times = self._failed_at.get(name)
        if times is None or len(times) < self._most or self._now() - times[0] >= self._per_s:
            return
        wait_s = math.ceil(times[0] + self._per_s - self._now())
        raise RateLimited(
            f"There were {self._most} {what} from this address within {self._per_s:.0f} seconds.",
            remedy=Remedy(f"Wait {wait_s} seconds, then try again."),
            evidence={"retry_after_s": wait_s},
        )

    def count(self, name: str) -> None:
        times = self._failed_at.setdefault(name, deque(maxlen=self._most))
        times.append(self._now())
        self._failed_at.move_to_end(name)
        if len(self._failed_at) > MOST_REMEMBERED:
            self._failed_at.popitem(last=False)
