"""The picture to enlarge, opened for work, and the larger one made a file. For the child: this imports Pillow."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from safelight.children.serving import Counter, Refused
from safelight.domain.outcomes import ErrorClass
from safelight.providers.encode import encode
from safelight.providers.upscaling_order import Order, too_large

RESIZED = Image.Resampling.LANCZOS


@dataclass(frozen=True, slots=True)
class Picture:
    """Upright, in RGB, with its transparency and colour profile apart."""

    rgb: Image.Image
    alpha: Image.Image | None
    icc_profile: bytes | None


def opened(data: bytes, order: Order) -> Picture:
    """Read the picture, or raise Refused. Its size is looked at before its pixels are unpacked."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own bound is lower
            image = Image.open(BytesIO(data))
            if problem := too_large(order, *image.size):
                raise Refused(problem.error_class, problem.message)
            upright = ImageOps.exif_transpose(image)
            return _parted(upright, image.info.get("icc_profile"))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise Refused(ErrorClass.INVALID_REQUEST, f"The picture cannot be read: {error}.") from error


def _parted(image: Image.Image, icc_profile: bytes | None) -> Picture:
    """The profile is left out where the conversion to RGB makes it meaningless."""
    profile = icc_profile if image.mode in ("RGB", "RGBA", "P") else None
    if image.has_transparency_data:
        whole = image.convert("RGBA")
        return Picture(whole.convert("RGB"), whole.getchannel("A"), profile)
    if image.mode.startswith("I;16"):  # Pillow would clip sixteen bits instead of scaling them
        image = image.point(lambda value: value / 256).convert("L")
    return Picture(image.convert("RGB"), None, profile)


def lowered(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resized down alone, where going across first would need more memory. That is always done first by Pillow.

    So what lies between is never larger than both the picture and the result.
    """
    wide, high = size
    return image.resize((image.width, high), RESIZED) if image.width * high < wide * image.height else image


def hand_over(counter: Counter, order: Order, picture: Picture, larger: Image.Image, **labels: Any) -> None:
    """Give the result its transparency back and deliver it; JPEG, which has none, stands on white."""
    if picture.alpha is not None:
        alpha = lowered(picture.alpha, larger.size).resize(larger.size, RESIZED)
        if order.format == "jpeg":
            larger = Image.composite(larger, Image.new("RGB", larger.size, "white"), alpha)
        else:
            larger.putalpha(alpha)
    data = encode(larger, order.format, picture.icc_profile)
    counter.file(data, order.mime, width=larger.width, height=larger.height, metadata=labels)
