"""An answer read to its end, up to a limit: what a provider sends must not fill the memory of all jobs."""

from __future__ import annotations

import httpx

MOST_ANSWER_BYTES = 64 * 1024 * 1024
"""A list of Replicate's predictions repeats the pictures of a hundred requests."""
MOST_PICTURES_BYTES = 256 * 1024 * 1024
"""Where the answer is pictures, as text."""
_OF_THE_WAY = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that are true no more once the bytes are here."""


class TooLong(httpx.RequestError):
    """More came than is taken. Nobody knows what the rest would have said."""


async def whole(answer: httpx.Response, limit_bytes: int | None = None) -> httpx.Response:
    """The same answer with its bytes, at most MOST_ANSWER_BYTES by default. Raises TooLong. Whoever asked closes it."""
    limit = MOST_ANSWER_BYTES if limit_bytes is None else limit_bytes
    pieces, size = list[bytes](), 0
    async for piece in answer.aiter_bytes():
        size += len(piece)
        if size > limit:
            text = f"it answered {answer.status_code} with more than {limit} bytes"
            raise TooLong(text, request=answer.request)
        pieces.append(piece)
    headers = [(name, value) for name, value in answer.headers.multi_items() if name.lower() not in _OF_THE_WAY]
    return httpx.Response(answer.status_code, headers=headers, content=b"".join(pieces), request=answer.request)
