"""An XMP packet in an MP4 or QuickTime file: a `uuid` box of its own (XMP specification, part 3, section 1.2.7).

It is appended, so a film of any size gets its papers without being written anew; players skip boxes they do not know.
A packet that a provider put there becomes free space.
"""

from __future__ import annotations

import struct
from typing import IO

from safelight.storage.boxes import Box, UnreadableFilm, body_of, boxes, size_of

XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
MOST_BYTES = 16 * 1024 * 1024
"""A packet larger than this is not read."""


def append_xmp(file: IO[bytes], packet: bytes) -> None:
    """Change the open file. Raises UnreadableFilm if it is no whole film."""
    for box in list(boxes(file)):
        if _is_xmp(file, box):
            _rewrite(file, box.start + 4, b"free")
        if box.to_the_end:
            _close(file, box)
    file.seek(size_of(file))
    body = XMP_UUID + packet
    file.write(struct.pack(">I4s", 8 + len(body), b"uuid") + body)
    file.flush()


def read_film_xmp(file: IO[bytes]) -> bytes | None:
    """The packet; None if there is none, or this is no film."""
    try:
        found = [box for box in boxes(file) if _is_xmp(file, box)]
    except UnreadableFilm:
        return None
    return body_of(file, found[-1], MOST_BYTES)[len(XMP_UUID) :] if found else None


def _is_xmp(file: IO[bytes], box: Box) -> bool:
    return box.name == b"uuid" and body_of(file, box, len(XMP_UUID)) == XMP_UUID


def _close(file: IO[bytes], box: Box) -> None:
    """Say how long a box is that goes on to the end of the file: something is to follow it."""
    size = box.end - box.start
    if size >= 2**32:
        raise UnreadableFilm("the film's last box has no size, and is too large for one")
    _rewrite(file, box.start, struct.pack(">I", size))


def _rewrite(file: IO[bytes], at: int, data: bytes) -> None:
    file.seek(at)
    file.write(data)
