"""Look hard at a picture that a stranger brought, before anything is kept of it or sent on.

What it is, its bytes say, not its name and not its sender; who says something else about it is refused. It is decoded
whole, under a limit of pixels: what is cut or damaged is found here and not at a provider. Takes processor time: call
it in a thread.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
HEAD_BYTES = 12
"""So many tell what a file is."""
_SAYS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_OTHER_NAMES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
MOST_SCANS = 100
"""Of a JPEG. A progressive one has about ten."""
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


def mime_of(head: bytes) -> str | None:
    """What a file is by its first HEAD_BYTES; None if it is no picture that is taken."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None


def checked_mime(head: bytes, claimed: str) -> str:
    """The same, given what its sender says it is (which may be nothing). Raises RefusedPicture."""
    mime = mime_of(head)
    if mime is None:
        raise RefusedPicture("is not a PNG, JPEG or WebP picture")
    said = claimed.partition(";")[0].strip().lower()
    if said not in _SAYS_NOTHING and _OTHER_NAMES.get(said, said) != mime:
        raise RefusedPicture(f"is said to be {said[:60]!r}, but it is {mime}")
    return mime


def checked_picture(data: bytes, claimed: str, most_pixels: int) -> Picture:
    """Decode it whole. One that its camera marked as turned is stored upright. Raises RefusedPicture."""
    from PIL import Image

    _quiet_readers()
    mime = checked_mime(data[:HEAD_BYTES], claimed)
    if mime == "image/jpeg":
        _refuse_heavy_exif(_jpeg_exif_bytes(data))
    try:
        with Image.open(BytesIO(data), formats=[FORMATS[mime]]) as picture:
            _refuse_size(picture, most_pixels)
            _refuse_animation(picture)
            _refuse_tricks(data, mime)
            picture.load()
            _refuse_heavy_exif(len(picture.info.get("exif") or b""))
            if picture.getexif().get(_ORIENTATION, 1) in (None, 0, 1):
                return Picture(data, mime, picture.width, picture.height)
            return _upright(picture, mime)
    except RefusedPicture:
        raise
    except Exception as error:  # bytes of strangers: readers of pictures raise whatever they stumble over
        raise RefusedPicture(f"cannot be read: {type(error).__name__}: {str(error)[:200]}") from error


def _refuse_size(picture: Image, most_pixels: int) -> None:
    """From its header: nothing is decoded yet."""
    if picture.width * picture.height > most_pixels:
        size = f"{picture.width}x{picture.height}"
        raise RefusedPicture(f"has {size} pixels; at most {most_pixels / 1e6:g} megapixels are taken")


def _refuse_animation(picture: Image) -> None:
    """Many photographs carry a second picture (a preview, a depth map); those are JPEG, and no animation."""
    if picture.format in ("PNG", "WEBP") and getattr(picture, "is_animated", False):
        raise RefusedPicture("is an animation; only still pictures are taken")


def _refuse_tricks(data: bytes, mime: str) -> None:
    """A PNG whose end is missing would load if only its last pixels came. Each scan of a JPEG is decoded over all of
    the picture: thousands of them, a few bytes each, would take minutes."""
    if mime == "image/png" and b"IEND" not in data:
        raise RefusedPicture("cannot be read: it was cut before its end")
    if mime == "image/jpeg" and data.count(_SCAN) > MOST_SCANS:
        raise RefusedPicture(f"has more than {MOST_SCANS} scans")


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
