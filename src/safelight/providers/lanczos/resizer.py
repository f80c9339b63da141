"""The resizer's own process: `python -m safelight.providers.lanczos.resizer`."""

from __future__ import annotations

from PIL import Image

from safelight.children.errands import Errand
from safelight.children.serving import Counter, run
from safelight.providers.upscaling_order import Order
from safelight.providers.upscaling_picture import RESIZED, hand_over, lowered, opened


def resize(errand: Errand, counter: Counter) -> None:
    """In strips, so that it can be stopped between them; Pillow looks over their edges as far as Lanczos does."""
    order = Order(**errand.head)
    picture = opened(errand.body, order)
    counter.stage(0.1)
    larger = resized(picture.rgb, order.size(*picture.rgb.size), counter)
    hand_over(counter, order, picture, larger, ai_generated=False, renderer="lanczos")


def resized(image: Image.Image, size: tuple[int, int], counter: Counter, strip_px: int = 512) -> Image.Image:
    """First across, then down. Both at once, Pillow picks an order by itself, and strips need not get the same."""
    wide, high = size
    image = lowered(image, size)
    image = image.resize((wide, image.height), RESIZED)
    larger = Image.new("RGB", size)
    for top in range(0, high, strip_px):
        bottom = min(top + strip_px, high)
        box = (0, top * image.height / high, wide, bottom * image.height / high)
        larger.paste(image.resize((wide, bottom - top), RESIZED, box), (0, top))
        counter.stage(0.1 + 0.8 * bottom / high)
    return larger


if __name__ == "__main__":
    run(resize)
