"""Land with depth: a height field seen in perspective, lit from the sun's side, fading into haze.

Drawn without a loop over pixels: heights are projected slice by slice into distance, the running maximum of the
projections tells which slice each pixel sees, and colours are looked up from there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array
from safelight.providers.procedural.scene import Scene


@dataclass(frozen=True)
class View:
    """Where slices lie: `z` (slices, 1) distances, `x` (slices, columns) places across, both in world units."""

    z: Array
    x: Array
    near: float
    far: float

    @property
    def depth(self) -> Array:
        """0 for the nearest slice to 1 for the farthest."""
        return (self.z - self.near) / (self.far - self.near)


def look(canvas: Canvas, near: float, far: float, slices: int, share_far: float = 0.5) -> View:
    """A share of the slices evenly spaced over the land, the rest over the picture, which nearby land fills most."""
    number = int(slices * share_far)
    even = np.linspace(near, far, number)
    seen = 1 / np.linspace(1 / near, 1 / far, slices - number + 2)[1:-1]
    z = np.sort(np.concatenate([even, seen])).astype(np.float32)[:, None]
    return View(z, canvas.x[None, :] * z, near, far)


def light_on(scene: Scene, heights: Array, view: View, steepness: float = 1.0) -> Array:
    """0..1: how much each point faces the sun."""
    across = np.gradient(heights, axis=1) / np.maximum(np.gradient(view.x, axis=1), 1e-6)
    away = np.gradient(heights, axis=0) / np.gradient(view.z, axis=0)
    side = 1.0 if scene.sun_x > 0.5 else -1.0
    facing = (-across * side * 0.85 + away * 0.28) * steepness
    return np.asarray(0.5 + 0.5 * facing / np.sqrt(1 + facing * facing), np.float32)


def colours(scene: Scene, surfaces: list[tuple[Array, Array]], lit: Array, depth: Array) -> Array:
    """Surfaces as (colour, share) laid over each other, lit, and hazed with depth: planes (3, slices, columns)."""
    palette = scene.palette
    result = np.zeros((3, *lit.shape), np.float32)
    for surface, share in surfaces:
        bright, dim = palette.lit(surface, 1.0), palette.lit(surface * 0.86, 0.0)
        for k in range(3):
            result[k] += share * (dim[k] + lit * (bright[k] - dim[k]) - result[k])
    fade = 1 - np.exp(-palette.haze_density * 1.1 * depth)
    for k in range(3):
        result[k] += fade * (palette.haze[k] - result[k])
    return result


def project(canvas: Canvas, heights: Array, view: View, planes: Array, eye: float, horizon: float) -> Array:
    """Paint the slices: what is nearer hides what is farther. `eye` is the viewer's height, `horizon` a pixel row.

    Returns the pixel row of every slice's ground (slices, columns).
    """
    rows = horizon - (heights - eye) / view.z * canvas.unit
    top = max(0, int(rows.min()) - 1)
    high = canvas.height - top
    if high <= 0:
        return rows
    fine = 2
    edge = np.minimum.accumulate(np.clip((rows - top) * fine, 0, high * fine), axis=0)
    first = np.ceil(edge - 0.5).astype(np.int32)
    slices, wide = first.shape
    starts = np.bincount((first * wide + np.arange(wide, dtype=np.int32)).ravel(), minlength=(high * fine + 1) * wide)
    covering = starts.reshape(-1, wide)[: high * fine].astype(np.int16).cumsum(axis=0, dtype=np.int16)
    seen = slices - covering
    hidden = seen >= slices
    index = np.minimum(seen, slices - 1).astype(np.int32) * wide + np.arange(wide, dtype=np.int32)
    mask = 1 - hidden.reshape(high, fine, wide).mean(axis=1, dtype=np.float32)
    for k in range(3):
        values = planes[k].ravel().take(index).reshape(high, fine, wide)
        area = canvas.rgb[k, top:]
        area += mask * ((values[:, 0] + values[:, 1]) * 0.5 - area)
    return rows
