"""One look for everybody who wants to look now: the rows are read once, however many ask at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class SharedLook:
    """`take` returns after a look that began no earlier than it was asked for. Raises what the look raises."""

    def __init__(self, look: Callable[[], Awaitable[None]]) -> None:
        self._look = look
        self._one_at_a_time = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None

    async def take(self) -> None:
        if self._next is None:
            self._next = asyncio.create_task(self._take_next())
            self._next.add_done_callback(_heard)
        await asyncio.shield(self._next)

    async def _take_next(self) -> None:
        async with self._one_at_a_time:
            self._next = None  # it begins now: whoever comes from here on may know of something newer
            await self._look()


def _heard(look: asyncio.Task[None]) -> None:
    """All who waited for it may have left."""
    if not look.cancelled():
        look.exception()
