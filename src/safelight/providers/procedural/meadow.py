"""The grass and flowers right before the viewer."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, mix, rgb
from safelight.providers.procedural.materials import GRASS, SNOW
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.shapes import Silhouette

FLOWERS = ("#e2433b", "#f4c531", "#f6efe6", "#8d6bd8", "#f08fb4")


def paint_foreground(canvas: Canvas, scene: Scene) -> None:
    """Blades of grass along the lower edge, with flowers of two kinds among them."""
    rng = scene.rng("grass")
    palette = scene.palette
    kinds = [rgb(FLOWERS[at]) for at in rng.permutation(5)[:2]]
    grass = mix(GRASS, SNOW, 0.8) if scene.snowy else rgb("#6f9a45")
    for flower, (base, tall, sunlit) in zip(kinds, ((0.955, 0.07, 0.75), (1.0, 0.10, 0.3)), strict=True):
        _blades(canvas, rng, base, tall, palette.lit(grass, sunlit))
        if not scene.snowy:
            bright = palette.lit(flower, 0.6 if scene.time == "night" else 0.95)
            _blooms(canvas, rng, base - tall * 0.55, tall, bright)


def _blades(canvas: Canvas, rng: np.random.Generator, base: float, tall: float, colour: Array) -> None:
    picture = Silhouette(canvas, (base - tall * 1.6) * canvas.height)
    unit, foot = canvas.unit, base * canvas.height
    spread = max(2.4, canvas.width / unit + 0.1)
    for place, size, lean in rng.random((int(375 * spread), 3)):
        x = canvas.width / 2 + (place - 0.5) * spread * unit
        high, bend, wide = unit * tall * (0.4 + 0.8 * size), (lean - 0.5) * unit * 0.06, unit * 0.0028
        knee_x, knee_y = x + bend * 0.35, foot - high * 0.6
        left, right = (
            [(x - wide, foot + 3), (knee_x - wide * 0.6, knee_y)],
            [(knee_x + wide * 0.6, knee_y), (x + wide, foot + 3)],
        )
        picture.polygon([*left, (x + bend, foot - high), *right])
    picture.box(0, foot, canvas.width, canvas.height)
    canvas.blend(picture.mask(), colour, picture.top)


def _blooms(canvas: Canvas, rng: np.random.Generator, base: float, tall: float, colour: Array) -> None:
    picture = Silhouette(canvas, (base - tall) * canvas.height)
    hearts = Silhouette(canvas, (base - tall) * canvas.height)
    spread = max(2.4, canvas.width / canvas.unit + 0.1)
    for place, up, size in rng.random((int(38 * spread), 3)):
        x = canvas.width / 2 + (place - 0.5) * spread * canvas.unit
        y = base * canvas.height + (up - 0.6) * tall * canvas.unit * 0.9
        reach = canvas.unit * (0.004 + 0.006 * size)
        for petal in range(5):
            angle = petal * 1.2566 + size * 6
            picture.ellipse(x + reach * np.cos(angle), y + reach * np.sin(angle) * 0.75, reach * 0.75, reach * 0.62)
        hearts.ellipse(x, y, reach * 0.5, reach * 0.45)
    canvas.blend(picture.mask(), colour, picture.top)
    canvas.blend(hearts.mask(), mix(colour, rgb("#5a3a20"), 0.6), hearts.top)
