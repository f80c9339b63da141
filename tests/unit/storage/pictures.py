"""Small pictures in every form the tests need."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image

MIMES = {"PNG": "image/png", "WEBP": "image/webp", "JPEG": "image/jpeg"}


def picture(form: str = "PNG", size: tuple[int, int] = (37, 23), mode: str = "RGB", **options: Any) -> bytes:
    """A gradient, so that every pixel differs from its neighbours."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.putpixel((0, 0), (255, 0, 0))
    if mode == "RGBA":
        image.putalpha(Image.radial_gradient("L").resize(size))
    else:
        image = image.convert(mode)
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def pixels(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    with Image.open(BytesIO(data)) as image:
        image.load()
        return image.mode, image.size, image.tobytes()
