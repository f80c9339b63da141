"""The enlarger's own process: `python -m safelight.providers.realesrgan.enlarger`."""

from __future__ import annotations

import numpy as np
from PIL import Image

from safelight.children.errands import Errand
from safelight.children.serving import Counter, Refused, run
from safelight.domain.outcomes import ErrorClass
from safelight.providers.encode import encode_preview
from safelight.providers.realesrgan.network import Pixels, enlarged
from safelight.providers.realesrgan.tiles import LONGEST_PX, Tile, tiles
from safelight.providers.upscaling_order import Order
from safelight.providers.upscaling_picture import hand_over, opened

PREVIEW_PX = 256


def enlarge(errand: Errand, counter: Counter) -> None:
    """Tile by tile: each is a step of the progress, and a moment at which it can be stopped."""
    order = Order(**errand.head)
    picture = opened(errand.body, order)
    counter.stage(0.02)
    try:
        pixels = tiled(np.asarray(picture.rgb), order.scale, counter)
    except MemoryError as error:
        size = f"{picture.rgb.width}x{picture.rgb.height}"
        raise Refused(
            ErrorClass.UNAVAILABLE, f"There was not enough memory to enlarge {size} by {order.scale}."
        ) from error
    hand_over(counter, order, picture, Image.fromarray(pixels), ai_generated=True, renderer="realesrgan")


def tiled(pixels: Pixels, scale: int, counter: Counter, longest_px: int = LONGEST_PX) -> Pixels:
    """The whole picture (height, width, 3), enlarged."""
    high, wide = pixels.shape[:2]
    larger = np.zeros((high * scale, wide * scale, 3), np.uint8)
    cut = list(tiles(wide, high, longest_px))
    waiting = Waiting(pixels)
    for done, tile in enumerate(cut, 1):
        left, top, right, bottom = tile.seen
        part = enlarged(pixels[top:bottom, left:right], scale)
        own = part[(tile.top - top) * scale : (tile.bottom - top) * scale]
        own = own[:, (tile.left - left) * scale : (tile.right - left) * scale]
        larger[tile.top * scale : tile.bottom * scale, tile.left * scale : tile.right * scale] = own
        counter.stage(0.02 + 0.93 * done / len(cut), waiting.without(tile))
    return larger


class Waiting:
    """A small view of the work: what is not done yet lies in the dark."""

    def __init__(self, pixels: Pixels) -> None:
        self._step = max(1, max(pixels.shape[:2]) // PREVIEW_PX)
        self._bright = pixels[:: self._step, :: self._step]
        self._view = self._bright // 3

    def without(self, tile: Tile) -> bytes:
        rows = slice(tile.top // self._step, -(-tile.bottom // self._step))
        columns = slice(tile.left // self._step, -(-tile.right // self._step))
        self._view[rows, columns] = self._bright[rows, columns]
        return encode_preview(Image.fromarray(self._view))


if __name__ == "__main__":
    run(enlarge)
