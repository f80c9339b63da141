"""Undoing a Content-Encoding step by step, so that a small answer cannot become a large one in memory."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, AsyncIterator

from safelight.net.errors import BadAnswer

STEP_BYTES = 256 * 1024
_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


async def decoded(raw: AsyncIterable[bytes], encoding: str) -> AsyncIterator[bytes]:
    """Pieces of at most STEP_BYTES. Raises BadAnswer for an encoding that nobody asked for and is not read."""
    if encoding in ("", "identity"):
        async for piece in raw:
            yield piece
        return
    if encoding not in _WINDOWS:
        raise BadAnswer(f"The answer is encoded as {encoding[:40]!r}, though none was asked for.", 200)
    inflating = zlib.decompressobj(_WINDOWS[encoding])
    async for piece in raw:
        while piece:
            yield _step(inflating, piece)
            piece = inflating.unconsumed_tail
        if inflating.eof:  # whatever follows is no part of the file, and may have no end
            return
    raise BadAnswer(f"The answer's {encoding} encoding was cut.", 200)


def _step(inflating: zlib._Decompress, piece: bytes) -> bytes:
    try:
        return inflating.decompress(piece, STEP_BYTES)
    except zlib.error as error:
        raise BadAnswer(f"The answer's encoding cannot be undone: {error}.", 200) from error
