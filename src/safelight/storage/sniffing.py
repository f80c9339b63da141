"""What a file is, told by its first bytes. What its name, its sender or its headers claim is not asked."""

from __future__ import annotations

HEAD_BYTES = 64
"""As much as `sniffed` looks at."""
FILMS: frozenset[str | None] = frozenset({"video/mp4", "video/quicktime", "video/webm"})
_STILL_BRANDS = frozenset({b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"})
"""Pictures that use the container of films."""


def sniffed(head: bytes) -> str | None:
    """The MIME type of a kind of file that is stored here; None for every other."""
    if (picture := sniffed_picture(head)) is not None:
        return picture
    if head[4:8] == b"ftyp" and head[8:12] not in _STILL_BRANDS:
        return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in head[:HEAD_BYTES]:
        return "video/webm"
    return None


def sniffed_picture(head: bytes) -> str | None:
    """The same, of pictures only: their first twelve bytes are enough."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None
