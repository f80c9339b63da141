"""Look at films: what they are, how large and how long. Only their heads are read, however large they are.

MP4 and QuickTime are read here; of WebM PyAV (the extra `[video]`) tells size and length, else nobody does.
Takes time on a disk: call it in a thread.
"""

from __future__ import annotations

import math
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from safelight.storage.boxes import Box, UnreadableFilm, body_of, boxes, inside
from safelight.storage.posters import opened
from safelight.storage.sniffing import FILMS, HEAD_BYTES, sniffed

if TYPE_CHECKING:
    from av.container import InputContainer

LONGEST_S = 24 * 3600.0
"""Nobody asked for more; a header that says so is wrong."""


@dataclass(frozen=True, slots=True)
class FilmInfo:
    """None is what nobody can tell."""

    mime: str
    width: int | None
    height: int | None
    duration_s: float | None


def describe_film(file: IO[bytes]) -> FilmInfo:
    """What its headers say; nothing is decoded. Raises UnreadableFilm, also for one that is cut short."""
    file.seek(0)
    mime = sniffed(file.read(HEAD_BYTES))
    if mime is None or mime not in FILMS:
        raise UnreadableFilm("the file is no MP4, QuickTime or WebM film")
    return _described_webm(file) if mime == "video/webm" else _described_mp4(file, mime)


def _described_mp4(file: IO[bytes], mime: str) -> FilmInfo:
    """By `moov`: `mvhd` tells the length, `tkhd` of the picture track the size."""
    top = {box.name: box for box in boxes(file)}
    movie = top.get(b"moov")
    if movie is None:
        raise UnreadableFilm("the film has no `moov` header")
    sizes = [size for track in inside(file, movie, b"trak") if (size := _size_of(file, track))]
    if not sizes:
        raise UnreadableFilm("the film has no picture track")
    return FilmInfo(mime, *max(sizes), _length_s(file, movie) or _length_told_by_player(file))


def _size_of(file: IO[bytes], track: Box) -> tuple[int, int] | None:
    """Width and height, the last two words of `tkhd` in 16.16 fixed point; None of sound and text, which have none."""
    header = next(inside(file, track, b"tkhd"), None)
    body = b"" if header is None else body_of(file, header, 104)
    wanted = 96 if body[:1] == b"\x01" else 84
    if len(body) < wanted:
        return None
    width, height = (fixed >> 16 for fixed in struct.unpack_from(">II", body, wanted - 8))
    return (width, height) if width and height else None


def _length_s(file: IO[bytes], movie: Box) -> float | None:
    """By `mvhd`, or of a fragmented film by `mvex/mehd`. None if neither says it."""
    header = next(inside(file, movie, b"mvhd"), None)
    body = b"" if header is None else body_of(file, header, 32)
    wide = body[:1] == b"\x01"
    if len(body) < (32 if wide else 20):
        return None
    scale, length = struct.unpack_from(">IQ", body, 20) if wide else struct.unpack_from(">II", body, 12)
    unknown = 2**64 - 1 if wide else 2**32 - 1
    if length in (0, unknown):
        length = _fragments_length(file, movie)
    return _sane(length / scale) if scale and length else None


def _fragments_length(file: IO[bytes], movie: Box) -> int:
    extended = next(inside(file, movie, b"mvex"), None)
    header = next(inside(file, extended, b"mehd"), None) if extended else None
    body = b"" if header is None else body_of(file, header, 12)
    if len(body) >= 12 and body[:1] == b"\x01":
        return int(struct.unpack_from(">Q", body, 4)[0])
    return int(struct.unpack_from(">I", body, 4)[0]) if len(body) >= 8 else 0


def _described_webm(file: IO[bytes]) -> FilmInfo:
    with opened(file) as container:
        if container is None:
            return FilmInfo("video/webm", None, None, None)
        if not container.streams.video:
            raise UnreadableFilm("the film has no picture track")
        picture = container.streams.video[0]
        return FilmInfo("video/webm", picture.width or None, picture.height or None, _length_of(container))


def _length_told_by_player(file: IO[bytes]) -> float | None:
    """Of a fragmented film without a length in its header."""
    with suppress(UnreadableFilm), opened(file) as container:
        return None if container is None else _length_of(container)
    return None


def _length_of(container: InputContainer) -> float | None:
    return None if container.duration is None else _sane(container.duration / 1_000_000)


def _sane(length_s: float) -> float | None:
    return round(length_s, 3) if math.isfinite(length_s) and 0 < length_s <= LONGEST_S else None
