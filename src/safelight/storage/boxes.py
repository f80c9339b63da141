"""The boxes that MP4 and QuickTime files are made of (ISO/IEC 14496-12, section 4.2), read by their heads only.

A box is 4 bytes of size, 4 bytes of name, and a body that may hold boxes. Size 1 means that 8 more bytes tell it, size
0 that the box goes on to the end of the file.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

MOST_BOXES = 100_000
"""Of one level. A fragmented film of an hour has some thousands."""


class UnreadableFilm(ValueError):
    """The bytes are no whole MP4, QuickTime or WebM file with a picture track."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box lies in its file."""

    name: bytes
    start: int
    body: int
    end: int
    to_the_end: bool = False
    """Its size is written as 0: whatever is appended to the file would become part of it."""


def boxes(file: IO[bytes], start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Those of one level. Raises UnreadableFilm where one is larger than what holds it: the file was cut short."""
    last = size_of(file) if end is None else end
    for _ in range(MOST_BOXES):
        if start == last:
            return
        box = _box(file, start, last)
        yield box
        start = box.end
    raise UnreadableFilm("the film has more parts than any film")


def inside(file: IO[bytes], outer: Box, name: bytes) -> Iterator[Box]:
    """The boxes of that name in another."""
    return (box for box in boxes(file, outer.body, outer.end) if box.name == name)


def body_of(file: IO[bytes], box: Box, at_most: int) -> bytes:
    """The beginning of a box's body."""
    file.seek(box.body)
    return file.read(min(at_most, box.end - box.body))


def size_of(file: IO[bytes]) -> int:
    return file.seek(0, os.SEEK_END)


def _box(file: IO[bytes], start: int, last: int) -> Box:
    file.seek(start)
    head = file.read(16)
    if len(head) < 8 or start + 8 > last:
        raise UnreadableFilm("the film ends in the middle of a box")
    size, name = struct.unpack_from(">I4s", head)
    body, to_the_end = start + 8, size == 0
    if to_the_end:
        size = last - start
    elif size == 1:
        if len(head) < 16:
            raise UnreadableFilm("the film ends in the middle of a box")
        size, body = struct.unpack_from(">Q", head, 8)[0], start + 16
    if start + size < body or start + size > last:
        raise UnreadableFilm(f"the film is cut short: its {name.decode('latin-1')!r} is not all there")
    return Box(name, body=body, start=start, end=start + size, to_the_end=to_the_end)
