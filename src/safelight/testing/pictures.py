"""Very small pictures, for fakes that must deliver something real."""

from __future__ import annotations

import struct
import zlib

SIDE_PX = 8


def tiny_png(shade: int = 128) -> bytes:
    """A valid grey PNG of 8x8 pixels; another shade (0..255) is another picture."""
    row = bytes([0, *[shade % 256] * SIDE_PX])
    header = struct.pack(">IIBBBBB", SIDE_PX, SIDE_PX, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(row * SIDE_PX)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
