"""Crisp silhouettes: polygons drawn at twice the size and averaged into smooth masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array

FINE = 2
Points = Sequence[tuple[float, float]]


class Silhouette:
    """A mask for the rows from `top` to `bottom` (pixels) of a canvas; coordinates are canvas pixels."""

    def __init__(self, canvas: Canvas, top: float = 0, bottom: float | None = None) -> None:
        self.top = max(0, int(top))
        self.bottom = min(canvas.height, int(canvas.height if bottom is None else bottom) + 1)
        self.high = max(1, self.bottom - self.top)
        self._image = Image.new("L", (canvas.width * FINE, self.high * FINE))
        self._draw = ImageDraw.Draw(self._image)

    def polygon(self, points: Points, value: int = 255) -> None:
        self._draw.polygon([(x * FINE, (y - self.top) * FINE) for x, y in points], fill=value)

    def box(self, left: float, top: float, right: float, bottom: float, value: int = 255) -> None:
        low, high = (top - self.top) * FINE, (bottom - self.top) * FINE - 1
        if right * FINE - 1 >= left * FINE and high >= low:
            self._draw.rectangle((left * FINE, low, right * FINE - 1, high), fill=value)

    def ellipse(self, x: float, y: float, across: float, down: float, value: int = 255) -> None:
        y -= self.top
        self._draw.ellipse(((x - across) * FINE, (y - down) * FINE, (x + across) * FINE, (y + down) * FINE), fill=value)

    def line(self, points: Points, width: float, value: int = 255) -> None:
        path = [(x * FINE, (y - self.top) * FINE) for x, y in points]
        self._draw.line(path, fill=value, width=max(1, round(width * FINE)), joint="curve")

    def stamp(self, cells: NDArray[np.uint8], left: float, top: float, wide: float, high: float) -> None:
        """A small raster, each cell grown to a sharp rectangle, filling the box."""
        size = (max(1, round(wide * FINE)), max(1, round(high * FINE)))
        grown = Image.fromarray(cells).resize(size, Image.Resampling.NEAREST)
        self._image.paste(grown, (round(left * FINE), round((top - self.top) * FINE)))

    def mask(self) -> Array:
        """Coverage 0..1 of the rows from `top`."""
        return np.asarray(self._image.reduce(FINE), np.float32) / 255
