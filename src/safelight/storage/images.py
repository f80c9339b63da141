"""Look at pictures and make thumbnails. Takes processor time: call it in a thread, not on the event loop.

Bytes come from providers and users, so every size is checked before a pixel is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 80_000_000
THUMBNAIL_SIDE = 384
COVER_SIDE = 300

_MIMES = {"PNG": "image/png", "WEBP": "image/webp", "JPEG": "image/jpeg"}


class UnreadablePicture(ValueError):
    """The bytes are not a PNG, WebP or JPEG, are damaged, or unfold to more pixels than anyone asked for."""


@dataclass(frozen=True, slots=True)
class PictureInfo:
    mime: str
    width: int
    height: int


def warm_up() -> None:
    """Load Pillow and its plug-ins: a tenth of a second that the first picture need not pay."""
    from PIL import Image

    Image.init()


def describe_image(data: bytes) -> PictureInfo:
    """What the header says; pixels are not decoded. Raises UnreadablePicture."""
    with _opened(data) as picture:
        return PictureInfo(_MIMES[str(picture.format)], picture.width, picture.height)


def thumbnail(data: bytes, max_side: int = THUMBNAIL_SIDE) -> bytes:
    """A WebP that fits into a square of `max_side`, upright; never larger than the picture itself."""
    from PIL import ImageOps

    with _opened(data) as picture:
        picture.draft("RGB", (2 * max_side, 2 * max_side))  # lets a JPEG be decoded small
        return as_thumbnail(ImageOps.exif_transpose(_plain(picture)), max_side)


def cover(data: bytes, side: int = COVER_SIDE) -> bytes:
    """A WebP square of that side, filled from the middle of the picture. Raises UnreadablePicture."""
    from PIL import ImageOps
    from PIL.Image import Resampling

    with _opened(data) as picture:
        picture.draft("RGB", (2 * side, 2 * side))
        upright = ImageOps.exif_transpose(_plain(picture))
        out = BytesIO()
        ImageOps.fit(upright, (side, side), Resampling.LANCZOS).save(out, "WEBP", quality=82)
        return out.getvalue()


def as_thumbnail(picture: Image, max_side: int = THUMBNAIL_SIDE) -> bytes:
    """The same of pixels in RGB or RGBA, which are scaled in place."""
    from PIL.Image import Resampling

    picture.thumbnail((max_side, max_side), Resampling.LANCZOS, reducing_gap=3.0)
    buffer = BytesIO()
    picture.save(buffer, "WEBP", quality=80, method=4)
    return buffer.getvalue()


@contextmanager
def _opened(data: bytes) -> Iterator[Image]:
    from PIL import Image

    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with Image.open(BytesIO(data), formats=tuple(_MIMES)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise UnreadablePicture(f"the picture has {picture.width}x{picture.height} pixels, too many")
            yield picture
    except bombs as error:
        raise UnreadablePicture(f"the picture is too large: {error}") from error
    except UnreadablePicture:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise UnreadablePicture(f"the picture cannot be read: {error}") from error


def _plain(picture: Image) -> Image:
    """In RGB, or RGBA where something is transparent: WebP takes no other."""
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)
