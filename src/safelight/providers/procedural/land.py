"""Ground near the viewer: rounded hills and the beach."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, mix, rgb
from safelight.providers.procedural.materials import SAND, SNOW
from safelight.providers.procedural.scene import Scene


def paint_hill(
    canvas: Canvas, scene: Scene, distance: float, topic: str, base: float, height: float, surface: Array
) -> None:
    """A rounded hill, lighter along its crest. `base` is a share of the height, `height` is in units."""
    rng = scene.rng(f"hill {topic}")
    offset, frequency = rng.random() * 900, 0.7 + 0.7 * rng.random()
    wave = noise.line(canvas.x * frequency, offset, 2, 0.35) * 0.5
    edge = np.asarray(base * canvas.height - wave * height * canvas.unit, np.float32)
    cover_ground(canvas, scene, edge, distance, surface, f"hill {topic}")


def cover_ground(canvas: Canvas, scene: Scene, edge: Array, distance: float, surface: Array, topic: str) -> None:
    """Fill under an edge with lit ground: brightest at the crest, streaked, darker toward the viewer."""
    top = max(0, int(edge.min()) - 1)
    if top >= canvas.height:
        return
    rng = scene.rng(f"ground {topic}")
    mask = canvas.mask_below(edge, top)
    if scene.snowy:
        surface = mix(surface, SNOW, 0.86)
    wide, high = canvas.width / canvas.unit, mask.shape[0] / canvas.unit
    streaks = noise.window(mask.shape, rng.random(), rng.random(), wide * 0.45, high * 2.4)
    below = np.maximum(canvas.rows[top:] - edge, 0) / canvas.unit
    slope = np.gradient(edge) * (1.0 if scene.sun_x > 0.5 else -1.0)
    lit = 0.30 + 0.62 * np.exp(-below * 7.0) - 0.25 * np.clip(slope, -1, 1) + (streaks - 0.5) * 0.55
    lit = np.clip(lit, 0, 1)
    bright, dim = scene.palette.lit(surface, 1.0, distance), scene.palette.lit(surface * 0.85, 0.05, distance * 0.9)
    colour = dim[:, None, None] + lit * (bright - dim)[:, None, None]
    canvas.blend(mask, np.asarray(colour, np.float32), top)


def paint_beach(canvas: Canvas, scene: Scene) -> None:
    """Sand sloping into the water, wet along its edge, with the foam of the last wave."""
    rng = scene.rng("beach")
    offset, slant = rng.random() * 900, rng.random() - 0.5
    wave = noise.line(canvas.x * 0.9, offset, 3, 0.4) * 0.05 + slant * 0.16 * canvas.x
    base = scene.horizon + 0.58 * (1 - scene.horizon)
    edge = np.asarray(base * canvas.height + wave * canvas.unit)
    foam = mix(rgb("#ffffff"), scene.palette.haze, 0.25)
    for reach, strength in ((0.055, 0.35), (0.022, 0.85)):
        lace = noise.line(canvas.x * 9, offset + reach * 900, 4, 0.7) * 0.010
        shallow = edge - (reach + lace) * canvas.unit
        top = max(0, int(shallow.min()) - 1)
        depth = np.clip((canvas.rows[top:] - shallow) / (0.022 * canvas.unit), 0, 1)
        canvas.blend(canvas.mask_below(shallow, top) * (1 - 0.8 * depth) * strength, foam, top)
    cover_ground(canvas, scene, edge, 0.0, SAND, "beach")
    top = max(0, int(edge.min()) - 1)
    wet = np.exp(-np.maximum(canvas.rows[top:] - edge, 0) / (0.03 * canvas.unit)) * canvas.mask_below(edge, top)
    canvas.blend(wet * 0.5, mix(scene.palette.lit(SAND, 0.2), scene.palette.sky[2], 0.35), top)
