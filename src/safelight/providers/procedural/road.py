"""A road toward the viewer's left and right, and the verge before it."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import rgb
from safelight.providers.procedural.materials import ASPHALT
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.shapes import Silhouette


def paint_road(canvas: Canvas, scene: Scene) -> None:
    """A strip of asphalt across the picture with a dashed line, lit along its far edge."""
    top = canvas.height * (scene.horizon + 0.38 * (1 - scene.horizon))
    foot = canvas.height * (scene.horizon + 0.84 * (1 - scene.horizon))
    palette = scene.palette
    first, high = int(top), max(2, int(foot) - int(top))
    near = np.linspace(0, 1, high, dtype=np.float32)[None, :, None]
    grain = noise.window((high, canvas.width), 0.2, 0.4, 3.0 * canvas.width / canvas.unit, 0.4) - 0.5
    far_tone, near_tone = palette.lit(rgb("#77777f"), 0.75, 0.05), palette.lit(ASPHALT, 0.35)
    colour = far_tone[:, None, None] + near * (near_tone - far_tone)[:, None, None] + 0.05 * grain[None]
    mask = np.clip(
        np.minimum(canvas.rows[first : first + high] - top, foot - canvas.rows[first : first + high]) + 0.5, 0, 1
    )
    canvas.blend(mask * np.ones((1, canvas.width)), colour, first)
    lines = Silhouette(canvas, top, foot)
    unit = canvas.unit
    lines.box(0, top + unit * 0.010, canvas.width, top + unit * 0.014)
    lines.box(0, foot - unit * 0.020, canvas.width, foot - unit * 0.013)
    middle = top + (foot - top) * 0.42
    for at in np.arange(-4.42, 4.5, 0.26):
        x = canvas.width / 2 + at * unit
        lines.polygon(
            [
                (x, middle),
                (x + unit * 0.13, middle),
                (x + unit * 0.126, middle + unit * 0.008),
                (x - unit * 0.004, middle + unit * 0.008),
            ]
        )
    canvas.blend(lines.mask() * 0.85, palette.lit(rgb("#f2e3b0"), 0.8), lines.top)
