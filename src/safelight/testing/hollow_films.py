"""Films by their headers only, for fakes that must deliver something that is described like a film."""

from __future__ import annotations

import struct


def box(name: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I4s", 8 + len(body), name) + body


FTYP = box(b"ftyp", b"isom\x00\x00\x02\x00isom")


def moov(width: int = 320, height: int = 192, *, scale: int = 600, length: int = 1500) -> bytes:
    """Headers that say how large and how long (`length / scale` seconds); a sound track comes first."""
    header = box(b"mvhd", bytes(12), struct.pack(">II", scale, length), bytes(80))
    sound = box(b"trak", box(b"tkhd", bytes(84)))
    picture = box(b"trak", box(b"tkhd", bytes(76), struct.pack(">II", width << 16, height << 16)))
    return box(b"moov", header, sound, picture)


def hollow_film(size_bytes: int = 1_000, *, shade: int = 0) -> bytes:
    """320x192, 2.5 s, with nothing to see in it: an MP4 that no player can show. Another shade is another film."""
    return FTYP + moov() + box(b"mdat", bytes([shade]) * size_bytes)
