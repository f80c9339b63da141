"""Put an XMP packet into a PNG, WebP or JPEG and find it again, byte by byte: pixels are never decoded.

Each format has its own section: PNG chunks (PNG specification, section 11), RIFF chunks of WebP (RFC 9649),
JPEG segments (ITU T.81, annex B). Everything else in the file stays as it is.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple


class UnreadableContainer(ValueError):
    """The bytes are not a whole file of that format."""


class TooLong(ValueError):
    """The packet does not fit into one segment of a JPEG."""


def write_xmp(data: bytes, mime: str, packet: bytes, *, software: str) -> bytes:
    """The file with this packet, in the place of any it had. `mime` is one of FORMATS.

    Raises UnreadableContainer, or TooLong where the format has a limit (JPEG).
    """
    return FORMATS[mime](data, packet, software)


def read_xmp(data: bytes) -> bytes | None:
    """The packet in a file of any of the three formats; None if there is none, or it is no such file."""
    try:
        if data.startswith(_PNG_SIGNATURE):
            return _read_png(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return next((chunk.body for chunk in _webp_chunks(data) if chunk.name == b"XMP "), None)
        if data.startswith(_JPEG_START):
            return next((s.body[len(_XMP_NAME) :] for s in _jpeg_segments(data)[0] if _is_xmp(s)), None)
    except UnreadableContainer:
        return None
    return None


# PNG: 4 bytes length, 4 bytes name, body, CRC of name and body

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_XMP = b"XML:com.adobe.xmp\x00"
_PNG_SOFTWARE = b"Software\x00"


def _write_png(data: bytes, packet: bytes, software: str) -> bytes:
    """After the header, where every reader looks before the pixels: an uncompressed iTXt and a plain tEXt."""
    chunks = list(_png_chunks(data))
    if chunks[0][0] != b"IHDR":
        raise UnreadableContainer("a PNG begins with IHDR")
    kept = [raw for name, body, raw in chunks[1:] if not _is_ours_in_png(name, body)]
    plain = software.encode("latin-1", "replace")
    papers = _png_chunk(b"iTXt", _PNG_XMP + b"\x00\x00\x00\x00" + packet)
    return b"".join([_PNG_SIGNATURE, chunks[0][2], _png_chunk(b"tEXt", _PNG_SOFTWARE + plain), papers, *kept])


def _read_png(data: bytes) -> bytes | None:
    for name, body, _ in _png_chunks(data):
        if name == b"iTXt" and body.startswith(_PNG_XMP) and body[len(_PNG_XMP) : len(_PNG_XMP) + 1] == b"\x00":
            _, _, rest = body[len(_PNG_XMP) + 2 :].partition(b"\x00")  # language
            return rest.partition(b"\x00")[2]  # translated name, then the text
    return None


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Name, body and raw bytes of each chunk up to and including IEND; what follows it is dropped."""
    if not data.startswith(_PNG_SIGNATURE):
        raise UnreadableContainer("no PNG signature")
    at = len(_PNG_SIGNATURE)
    while True:
        if at + 12 > len(data):
            raise UnreadableContainer("the PNG ends in the middle of a chunk")
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise UnreadableContainer("the PNG ends in the middle of a chunk")
        yield name, data[at + 8 : end - 4], data[at:end]
        if name == b"IEND":
            return
        at = end


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _is_ours_in_png(name: bytes, body: bytes) -> bool:
    return name in (b"iTXt", b"tEXt", b"zTXt") and body.startswith((_PNG_XMP, _PNG_SOFTWARE))


# WebP: RIFF chunks of 4 bytes name, 4 bytes length (little endian), body, padded to even length

_VP8X_FLAG_ALPHA = 0x10
_VP8X_FLAG_XMP = 0x04


class _WebpChunk(NamedTuple):
    name: bytes
    body: bytes

    def raw(self) -> bytes:
        return self.name + struct.pack("<I", len(self.body)) + self.body + b"\x00" * (len(self.body) % 2)


def _write_webp(data: bytes, packet: bytes, _: str) -> bytes:
    """The XMP chunk is the last one, and the header that announces it (VP8X) the first."""
    chunks = [chunk for chunk in _webp_chunks(data) if chunk.name != b"XMP "]
    if not chunks:
        raise UnreadableContainer("the WebP is empty")
    header, rest = (chunks[0], chunks[1:]) if chunks[0].name == b"VP8X" else (_vp8x_for(chunks[0]), chunks)
    if len(header.body) < 10:
        raise UnreadableContainer("the WebP's header is cut short")
    header = _WebpChunk(b"VP8X", bytes([header.body[0] | _VP8X_FLAG_XMP]) + header.body[1:])
    body = b"WEBP" + b"".join(chunk.raw() for chunk in [header, *rest, _WebpChunk(b"XMP ", packet)])
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _webp_chunks(data: bytes) -> Iterator[_WebpChunk]:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise UnreadableContainer("no RIFF WEBP signature")
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise UnreadableContainer("the WebP is cut short")
    at = 12
    while at + 8 <= end:
        name, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > end:
            raise UnreadableContainer("the WebP ends in the middle of a chunk")
        yield _WebpChunk(name, data[at + 8 : at + 8 + length])
        at += 8 + length + length % 2


def _vp8x_for(image: _WebpChunk) -> _WebpChunk:
    """The header a simple file does without: its size and whether it has an alpha channel."""
    body = image.body
    if image.name == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", body, 6))
        flags = 0
    elif image.name == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = struct.unpack_from("<I", body, 1)[0]
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags = _VP8X_FLAG_ALPHA if bits >> 28 & 1 else 0
    else:
        raise UnreadableContainer("the WebP begins with neither VP8 nor VP8L")
    if not width or not height:
        raise UnreadableContainer("the WebP has no size")
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _WebpChunk(b"VP8X", bytes([flags, 0, 0, 0]) + sides)


# JPEG: segments of FF, marker, 2 bytes length (counting itself), body; after SOS come the pixels

_JPEG_START = b"\xff\xd8\xff"
_XMP_NAME = b"http://ns.adobe.com/xap/1.0/\x00"
_APP0, _APP1, _SOS = 0xE0, 0xE1, 0xDA
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD8))
JPEG_LIMIT_BYTES = 0xFFFF - 2 - len(_XMP_NAME)


class _JpegSegment(NamedTuple):
    marker: int
    body: bytes
    raw: bytes


def _write_jpeg(data: bytes, packet: bytes, _: str) -> bytes:
    """After JFIF and EXIF, which readers want first."""
    if len(packet) > JPEG_LIMIT_BYTES:
        raise TooLong(f"{len(packet)} bytes of XMP; a JPEG takes {JPEG_LIMIT_BYTES}")
    segments, pixels = _jpeg_segments(data)
    kept = [segment for segment in segments if not _is_xmp(segment)]
    first = next((i for i, s in enumerate(kept) if s.marker != _APP0 and not _is_exif(s)), len(kept))
    body = _XMP_NAME + packet
    papers = bytes([0xFF, _APP1]) + struct.pack(">H", len(body) + 2) + body
    raws = [segment.raw for segment in kept]
    return b"".join([b"\xff\xd8", *raws[:first], papers, *raws[first:], pixels])


def _jpeg_segments(data: bytes) -> tuple[list[_JpegSegment], bytes]:
    """The segments before the pixels, and everything from there on."""
    if not data.startswith(_JPEG_START):
        raise UnreadableContainer("no JPEG signature")
    segments: list[_JpegSegment] = []
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _SOS:
            return segments, data[at:]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        length = 0 if marker in _WITHOUT_LENGTH else struct.unpack_from(">H", data, at + 2)[0]
        end = at + 2 + length
        if end > len(data) or length == 1 or (length == 0 and marker not in _WITHOUT_LENGTH):
            break
        segments.append(_JpegSegment(marker, data[at + 4 : end], data[at:end]))
        at = end
    raise UnreadableContainer("the JPEG ends before its pixels")


def _is_xmp(segment: _JpegSegment) -> bool:
    return segment.marker == _APP1 and segment.body.startswith(_XMP_NAME)


def _is_exif(segment: _JpegSegment) -> bool:
    return segment.marker == _APP1 and segment.body.startswith(b"Exif\x00")


FORMATS: dict[str, Callable[[bytes, bytes, str], bytes]] = {
    "image/png": _write_png,
    "image/webp": _write_webp,
    "image/jpeg": _write_jpeg,
}
"""How to write each format that can carry provenance."""
