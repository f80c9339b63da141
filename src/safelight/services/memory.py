"""How many bytes of pictures on their way in may be in memory at one time, whoever they come from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from safelight.domain.errors import Remedy, Unavailable


class Memory:
    """One per process. Those who drip hold little; those who flood are sent away."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit, self.held = limit_bytes, 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """What one request takes; all of it is given back at the end of the block."""
        share = Share(self)
        try:
            yield share
        finally:
            self.held -= share.held

    def take(self, size_bytes: int) -> None:
        """Raises Unavailable when there is no room."""
        if self.held + size_bytes > self._limit:
            raise Unavailable(
                f"Too many pictures are coming in at this moment: {self.held // 2**20} MB are in memory.",
                remedy=Remedy("Send it again in a few seconds."),
            )
        self.held += size_bytes


class Share:
    """The part of one request."""

    def __init__(self, memory: Memory) -> None:
        self._memory, self.held = memory, 0

    def take(self, size_bytes: int) -> None:
        """Raises Unavailable when there is no room."""
        self._memory.take(size_bytes)
        self.held += size_bytes

    async def read(self, pieces: AsyncIterator[bytes]) -> bytes:
        """All pieces, in memory."""
        kept = bytearray()
        async for piece in pieces:
            self.take(len(piece))
            kept += piece
        return bytes(kept)
