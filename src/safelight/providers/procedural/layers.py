"""A painted step taken apart, so that it need not be painted again for every frame of a film.

What the brushes do to a pixel depends on nothing but that pixel: they let a share of what was there through and add
something of their own. So a step is known from painting it twice, once over black and once over white.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array
from safelight.providers.procedural.scene import Scene

UNSEEN = 1 / 1024


@dataclass(frozen=True)
class Layer:
    """`through` (0 hides what is behind, 1 shows it) and `own` light, each (3, h, w); its corner is at (top, left)."""

    through: Array
    own: Array
    top: int
    left: int

    def lay(self, canvas: Canvas, dx: float, dy: float, gain: Array) -> None:
        """Over the canvas, moved by so many pixels, its own light times `gain` per colour."""
        through, own, right, down = self.through, self.own, int(np.floor(dx)), int(np.floor(dy))
        through, own = _between(through, dx - right, dy - down, 1.0), _between(own, dx - right, dy - down, 0.0)
        top, left = self.top + down, self.left + right
        first, last = max(0, top), min(canvas.height, top + own.shape[1])
        start, end = max(0, left), min(canvas.width, left + own.shape[2])
        if first >= last or start >= end:
            return
        rows, columns = slice(first - top, last - top), slice(start - left, end - left)
        for k in range(3):
            area = canvas.rgb[k, first:last, start:end]
            area *= through[k, rows, columns]
            area += own[k, rows, columns] * gain[k]


def _between(planes: Array, right: float, down: float, outside: float) -> Array:
    """Moved by part of a pixel; one row or column longer for it."""
    for axis, part in ((2, right), (1, down)):
        if part < 0.02:
            continue
        edge = [(0, 0), (0, 0), (0, 0)]
        edge[axis] = (1, 1)
        padded = np.pad(planes, edge, constant_values=outside)
        near, far = _ends(axis)
        planes = padded[near] * np.float32(1 - part)
        planes += padded[far] * np.float32(part)
    return planes


def _ends(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Everything but the first along an axis, and everything but the last."""
    every = [slice(None)] * 3
    near, far = every.copy(), every.copy()
    near[axis], far[axis] = slice(1, None), slice(None, -1)
    return tuple(near), tuple(far)


def recorded(step: Callable[[Canvas, Scene], None], scene: Scene, like: Canvas, *, cut: bool = True) -> Layer:
    """What a step does, cut to where it does anything, or as large as the canvas."""
    over_black, over_white = (Canvas(like.width, like.height) for _ in range(2))
    over_white.rgb[:] = 1
    step(over_black, scene)
    step(over_white, scene)
    through = np.clip(over_white.rgb - over_black.rgb, 0, 1)
    own = over_black.rgb
    if not cut:
        return Layer(through, own, 0, 0)
    touched = np.any((through < 1 - UNSEEN) | (own > UNSEEN), axis=0)
    rows, columns = np.flatnonzero(np.any(touched, axis=1)), np.flatnonzero(np.any(touched, axis=0))
    if not rows.size:
        return Layer(through[:, :0, :0], own[:, :0, :0], 0, 0)
    part = (slice(None), slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return Layer(through[part].copy(), own[part].copy(), int(rows[0]), int(columns[0]))
