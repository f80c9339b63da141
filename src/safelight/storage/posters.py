"""One frame of a film as its thumbnail, by PyAV (the extra `[video]`); without it a film has none.

Takes processor time: call it in a thread. Sizes are checked before a frame is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from safelight.storage.boxes import UnreadableFilm
from safelight.storage.images import MOST_PIXELS, THUMBNAIL_SIDE, as_thumbnail

if TYPE_CHECKING:
    from av.container import InputContainer

AT_LEAST_S = 1.0
"""Films often begin in black: the poster is from here, or from a third of a shorter one."""
MOST_FRAMES = 250
"""Decoded on the way from the key frame before it."""


def poster(file: IO[bytes], duration_s: float | None, max_side: int = THUMBNAIL_SIDE) -> bytes | None:
    """A WebP of a frame near the beginning; None where PyAV is missing or can decode nothing of it."""
    try:
        with opened(file) as container:
            return None if container is None else _poster(container, duration_s, max_side)
    except UnreadableFilm:
        return None


@contextmanager
def opened(file: IO[bytes]) -> Iterator[InputContainer | None]:
    """The film, from its start; None without PyAV. Raises UnreadableFilm for whatever PyAV raises in the block."""
    try:
        import av
    except ImportError:
        yield None
        return
    file.seek(0)
    try:
        with av.open(file, "r", options={"protocol_whitelist": ""}) as container:
            yield container
    except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
        raise UnreadableFilm(f"the film cannot be read: {error}") from error


def _poster(container: InputContainer, duration_s: float | None, max_side: int) -> bytes | None:
    if not container.streams.video:
        return None
    stream = container.streams.video[0]
    if not 0 < stream.width * stream.height <= MOST_PIXELS:
        return None
    stream.thread_type = "SLICE"
    stream.codec_context.thread_count = 1
    wanted_s = min(AT_LEAST_S, (duration_s or 0.0) / 3)
    chosen = None
    for n, frame in enumerate(container.decode(stream)):
        chosen = frame
        if n >= MOST_FRAMES or (frame.time or 0.0) >= wanted_s:
            break
    if chosen is None or chosen.width * chosen.height > MOST_PIXELS:
        return None
    return as_thumbnail(chosen.to_image(), max_side)  # type: ignore[no-untyped-call]
