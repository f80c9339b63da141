"""Look hard at a picture that a stranger brought, before anything is kept of it or sent on.

What it is, its bytes say, not its name and not its sender; who says something else about it is refused. It is decoded
whole, under a limit of pixels: what is cut or damaged is found here and not at a provider. Takes processor time: call
it in a thread.

What is cheap to write and dear to read is counted before it is decoded: scans, chunks, segments.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from safelight.storage.sniffing import sniffed_picture

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
HEAD_BYTES = 12
"""So many tell what a file is."""
_SAYS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_OTHER_NAMES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
MOST_SCANS = 100
"""Of a JPEG. A progressive one has about ten."""
SCANS_OF_THE_LARGEST = 16
"""Each scan is decoded over all of the picture: the more pixels, the fewer scans, down to so many."""
MOST_STEPS = 20_000
"""Chunks of a PNG; segments and stray bytes before the first scan of a JPEG. Each costs a reader a step. A PNG of
20 MB in the smallest customary pieces has about 5,000."""
DAMAGED = "cannot be read: it is damaged, or is not what its first bytes say"
MOST_EXIF_BYTES = 128 * 1024
"""Twice what fits into one segment of a JPEG."""
_EXIF_SEGMENT = re.compile(rb"\xff\xe1(..)Exif\x00\x00", re.DOTALL)
_SCAN = b"\xff\xda"
_ORIENTATION = 0x0112
"""The EXIF tag; 1 is upright."""


class RefusedPicture(ValueError):
    """Why a file is not taken, as half a sentence about it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One that can be used, upright."""

    data: bytes
    mime: str
    width: int
    height: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def checked_mime(head: bytes, claimed: str) -> str:
    """The same, given what its sender says it is (which may be nothing). Raises RefusedPicture."""
    mime = sniffed_picture(head)
    if mime is None:
        raise RefusedPicture("is not a PNG, JPEG or WebP picture")
    said = claimed.partition(";")[0].strip().lower()
    if said not in _SAYS_NOTHING and _OTHER_NAMES.get(said, said) != mime:
        raise RefusedPicture(f"is said to be {said[:60]!r}, but it is {mime}")
    return mime


class _Watched(BytesIO):
    """Bytes that are read no further once nobody wants to wait for them."""

    def __init__(self, data: bytes, too_long: Callable[[], str | None]) -> None:
        super().__init__(data)
        self._too_long = too_long

    def read(self, size: int | None = -1, /) -> bytes:
        if reason := self._too_long():
            raise RefusedPicture(reason)
        return super().read(size)


def checked_picture(
    data: bytes, claimed: str, most_pixels: int, too_long: Callable[[], str | None] = lambda: None
) -> Picture:
    """Decode it whole. One that its camera marked as turned is stored upright. Raises RefusedPicture.

    `too_long` is asked while it is read, and may give a reason to stop.
    """
    from PIL import Image

    _quiet_readers()
    mime = checked_mime(data[:HEAD_BYTES], claimed)
    _refuse_many_steps(data, mime)
    if mime == "image/jpeg":
        _refuse_heavy_exif(_jpeg_exif_bytes(data))
    try:
        with Image.open(_Watched(data, too_long), formats=[FORMATS[mime]]) as picture:
            _refuse_size(picture, most_pixels)
            _refuse_animation(picture)
            _refuse_tricks(data, mime, picture.width * picture.height, most_pixels)
            picture.load()
            _refuse_heavy_exif(len(picture.info.get("exif") or b""))
            if picture.getexif().get(_ORIENTATION, 1) in (None, 0, 1):
                return Picture(data, mime, picture.width, picture.height)
            return _upright(picture, mime)
    except RefusedPicture:
        raise
    except Image.DecompressionBombError as error:
        raise RefusedPicture(f"has too many pixels; {_at_most(most_pixels)}") from error
    except Exception as error:  # bytes of strangers: readers of pictures raise whatever they stumble over
        raise RefusedPicture(DAMAGED) from error


def _refuse_size(picture: Image, most_pixels: int) -> None:
    """From its header: nothing is decoded yet."""
    if picture.width * picture.height > most_pixels:
        size = f"{picture.width}x{picture.height}"
        raise RefusedPicture(f"has {size} pixels; {_at_most(most_pixels)}")


def _at_most(most_pixels: int) -> str:
    return f"at most {most_pixels / 1e6:g} megapixels are taken"


def _refuse_animation(picture: Image) -> None:
    """Many photographs carry a second picture (a preview, a depth map); those are JPEG, and no animation."""
    if picture.format in ("PNG", "WEBP") and getattr(picture, "is_animated", False):
        raise RefusedPicture("is an animation; only still pictures are taken")


def _refuse_tricks(data: bytes, mime: str, pixels: int, most_pixels: int) -> None:
    """A PNG whose end is missing would load if only its last pixels came. Each scan of a JPEG is decoded over all of
    the picture: thousands of them, a few bytes each, would take minutes."""
    if mime == "image/png" and b"IEND" not in data:
        raise RefusedPicture("cannot be read: it was cut before its end")
    if mime == "image/jpeg":
        scans, most = data.count(_SCAN), min(MOST_SCANS, SCANS_OF_THE_LARGEST * most_pixels // max(1, pixels))
        if scans > most:
            raise RefusedPicture(f"has {scans} scans; at most {most} are taken of so many pixels")


def _refuse_many_steps(data: bytes, mime: str) -> None:
    if mime == "image/png" and _too_many(data, 8, _next_chunk):
        raise RefusedPicture(f"consists of more than {MOST_STEPS} chunks")
    if mime == "image/jpeg" and _too_many(data, 2, _next_segment):
        raise RefusedPicture(f"has more than {MOST_STEPS} segments or stray bytes before its first scan")


def _too_many(data: bytes, at: int, next_at: Callable[[bytes, int], int]) -> bool:
    for _ in range(MOST_STEPS):
        if at + 4 > len(data):
            return False
        at = next_at(data, at)
    return at + 4 <= len(data)


def _next_chunk(data: bytes, at: int) -> int:
    """Length, kind, so many bytes, and a checksum."""
    return at + 12 + int.from_bytes(data[at : at + 4], "big")


def _next_segment(data: bytes, at: int) -> int:
    """As Pillow reads them: it steps over whatever is no marker, byte by byte. At the first scan it is at its end."""
    marker = data[at + 1]
    if data[at] != 0xFF or marker == 0xFF:
        return at + 1
    if marker == _SCAN[1]:
        return len(data)
    alone = marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD9
    return at + 2 if alone else at + 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))


def _refuse_heavy_exif(size_bytes: int) -> None:
    """Each of its entries may name all of the rest as its value, and readers copy them one by one."""
    if size_bytes > MOST_EXIF_BYTES:
        raise RefusedPicture(f"carries {size_bytes} bytes of EXIF data; at most {MOST_EXIF_BYTES} are read")


def _jpeg_exif_bytes(data: bytes) -> int:
    """Of all its segments together: Pillow joins them, and reads them as soon as it opens a file."""
    return sum(int.from_bytes(found[1], "big") for found in _EXIF_SEGMENT.finditer(data))


@cache
def _quiet_readers() -> None:
    """Pillow warns of each odd entry with its number, and Python remembers every warning it has shown."""
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def _upright(picture: Image, mime: str) -> Picture:
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(picture)
    buffer, how = BytesIO(), dict[str, Any](icc_profile=picture.info.get("icc_profile"))
    if mime != "image/png":
        how["quality"] = 95
    upright.save(buffer, FORMATS[mime], exif=b"", **how)
    return Picture(buffer.getvalue(), mime, upright.width, upright.height)
