"""The picture under the brush: three float planes, its size in pixels, and how masks and lights are laid onto it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from safelight.providers.procedural.colour import Array

T = TypeVar("T")


class Canvas:
    """`rgb` is (3, height, width), 0..1. One `unit` is about the shorter side: shapes scale with it."""

    def __init__(self, width: int, height: int, kept: dict[str, Any] | None = None) -> None:
        """`kept` is what the frames of one film share."""
        self.width, self.height = width, height
        self._kept: dict[str, Any] = {} if kept is None else kept
        self.unit = float(min(height, width * 1.15))
        self.rgb: Array = np.zeros((3, height, width), np.float32)

    def keep(self, name: str, make: Callable[[], T]) -> T:
        """What `make` makes, made once for all frames of a film."""
        if name not in self._kept:
            self._kept[name] = make()
        found: T = self._kept[name]
        return found

    @cached_property
    def x(self) -> Array:
        """Pixel columns in units, 0 in the middle."""
        return ((np.arange(self.width, dtype=np.float32) + 0.5) - self.width / 2) / np.float32(self.unit)

    @cached_property
    def rows(self) -> Array:
        """Pixel rows in pixels, as a column."""
        return (np.arange(self.height, dtype=np.float32) + 0.5)[:, None]

    def blend(self, mask: Array, colour: Array, top: int = 0, left: int = 0) -> None:
        """Lay colour (anything that broadcasts to (3, h, w)) over the picture where the mask (h, w) says so."""
        inside = self._overlap(mask.shape, top, left)
        if inside is None:
            return
        (rows, columns), (from_rows, from_columns) = inside
        mask = mask[from_rows, from_columns]
        planes = colour if colour.ndim == 3 else colour[:, None, None]
        for k in range(3):
            plane = planes[k]
            plane = plane[from_rows] if plane.shape[0] > 1 else plane
            plane = plane[:, from_columns] if plane.shape[1] > 1 else plane
            area = self.rgb[k, rows, columns]
            step = plane - area
            step *= mask
            area += step

    def shine(self, amount: Array, colour: Array, top: int = 0, left: int = 0) -> None:
        """Add light: like blending, but never darker than before (a screen). Amount is (h, w), or (3, h, w)."""
        inside = self._overlap(amount.shape[-2:], top, left)
        if inside is None:
            return
        (rows, columns), (from_rows, from_columns) = inside
        for k in range(3):
            area = self.rgb[k, rows, columns]
            light = 1 - area
            np.maximum(light, 0, out=light)
            light *= (amount if amount.ndim == 2 else amount[k])[from_rows, from_columns]
            light *= colour[k]
            area += light

    def _overlap(
        self, shape: tuple[int, ...], top: int, left: int
    ) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
        """Which part of the canvas a piece at (top, left) covers, and which part of the piece that is."""
        first, last = max(0, top), min(self.height, top + shape[0])
        start, end = max(0, left), min(self.width, left + shape[1])
        if first >= last or start >= end:
            return None
        return (slice(first, last), slice(start, end)), (
            slice(first - top, last - top),
            slice(start - left, end - left),
        )

    def below(self, edge: Array, colour: Array) -> None:
        """Fill everything under an edge (pixel row per column) with one colour."""
        top = max(0, int(edge.min()) - 1)
        if top < self.height:
            self.blend(self.mask_below(edge, top), colour, top)

    def mask_below(self, edge: Array, top: int) -> Array:
        """Coverage of the pixels under an edge from row `top` on, smooth along steep parts too."""
        slope = np.gradient(edge)
        softness = np.sqrt(1 + slope * slope)
        return np.asarray(np.clip((self.rows[top:] - edge) / softness + 0.5, 0, 1), np.float32)

    def soft(self, field: Array) -> Array:
        """A small field (h, w) enlarged smoothly to the whole picture."""
        size = (self.width, self.height)
        return np.asarray(
            Image.fromarray(np.asarray(field, np.float32)).resize(size, Image.Resampling.BICUBIC), np.float32
        )

    def image(self) -> Image.Image:
        """The picture as it is, in eight bits."""
        return to_image(self.rgb)

    def preview(self, longest: int = 256) -> Image.Image:
        """The picture small, quickly: previews are gone in a moment."""
        step = max(1, max(self.width, self.height) // longest)
        small = to_image(self.rgb[:, ::step, ::step])
        if max(small.size) > longest:
            small.thumbnail((longest, longest), Image.Resampling.BILINEAR, reducing_gap=None)
        return small


def to_image(planes: Array) -> Image.Image:
    """Float planes as an RGB picture."""
    data = np.empty((planes.shape[1], planes.shape[2], 3), np.uint8)
    for k in range(3):
        data[..., k] = np.clip(planes[k] * 255 + 0.5, 0, 255)
    return Image.fromarray(data)
