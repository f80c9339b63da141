"""The hub wakes readers up. It carries topics, never news: whoever is woken reads the rows."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class Waiter:
    """One reader's bell. Rings that come while it is busy are kept as one."""

    def __init__(self, *, by_name_only: bool = False) -> None:
        self._rung, self.by_name_only = asyncio.Event(), by_name_only

    def ring(self) -> None:
        self._rung.set()

    def clear(self) -> None:
        """Forget rings so far: call it before reading the rows, never after."""
        self._rung.clear()

    async def wait(self, timeout_s: float) -> bool:
        """Until rung, or until the time is up; whether it was rung."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        except TimeoutError:
            return False
        return True


class Hub:
    """The waiters of one process, by topic (`queue:image`, `job:<id>`, `user:<id>`). For the event loop only."""

    def __init__(self) -> None:
        self._waiters: defaultdict[str, set[Waiter]] = defaultdict(set)

    @contextmanager
    def waiting(self, *topics: str, by_name_only: bool = False) -> Iterator[Waiter]:
        """A waiter that rings for any of the topics while the block lasts.

        `by_name_only`: not when it is only known that something has changed, for those who would ask somebody else
        than the rows.
        """
        waiter = Waiter(by_name_only=by_name_only)
        for topic in topics:
            self._waiters[topic].add(waiter)
        try:
            yield waiter
        finally:
            for topic in topics:
                self._waiters[topic].discard(waiter)
                if not self._waiters[topic]:
                    del self._waiters[topic]

    def wake(self, topics: Iterable[str]) -> None:
        """Ring everyone who waits for one of the topics."""
        for topic in topics:
            for waiter in self._waiters.get(topic, ()):
                waiter.ring()

    def wake_for_the_last_time(self) -> None:
        """Ring every bell: this process ends."""
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.ring()

    def wake_all(self) -> None:
        """Ring everyone who can look for himself: something changed, and it is not known what."""
        for waiters in self._waiters.values():
            for waiter in waiters:
                if not waiter.by_name_only:
                    waiter.ring()
