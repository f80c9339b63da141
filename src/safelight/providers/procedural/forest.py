"""Woods: rows of trees one before the other, each darker and sharper, and light falling through."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, mix, rgb
from safelight.providers.procedural.materials import AUTUMN, LEAF, PINE
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.shapes import Silhouette


def paint_woods(canvas: Canvas, scene: Scene, rows: int = 5) -> None:
    """Rows of conifers from the haze to the foreground, mist between them."""
    rng = scene.rng("woods")
    kind = rng.random()
    for row in range(rows):
        near = row / (rows - 1)
        distance = (1 - near) ** 1.3
        base = scene.horizon - 0.05 + 0.30 * near**1.2
        height = (0.20 + 0.52 * near**1.4) * (0.9 + 0.3 * rng.random())
        count = int(30 - 20 * near)
        colour = scene.palette.lit(_foliage(scene, kind), 0.42 * distance + 0.05, distance * 0.85)
        if near > 0.9:
            colour = mix(colour, rgb("#0a0f14"), 0.45)
        paint_tree_row(canvas, scene, rng, base, height, count, colour, gap=0.16 if near > 0.6 else 0.0)
        if near < 0.95:
            _mist(canvas, scene, rng, base, near)


def _foliage(scene: Scene, kind: float) -> Array:
    if scene.snowy:
        return mix(PINE, rgb("#dfe9f2"), 0.35)
    words = scene.reading.words
    return AUTUMN if words & {"autumn", "fall"} else PINE if kind < 0.75 else LEAF


def paint_tree_row(
    canvas: Canvas,
    scene: Scene,
    rng: np.random.Generator,
    base: float,
    height: float,
    count: int,
    colour: Array,
    gap: float = 0.0,
) -> None:
    """One row of conifers on uneven ground. `gap` leaves the middle open, a share of the width to each side."""
    wide = canvas.width / canvas.unit
    spread = max(2.2, wide + 0.3)
    number = int(count * spread)
    places, sizes, leans, ground_at = (
        rng.random(number),
        rng.random(number),
        rng.random((number, 24)),
        rng.random() * 900,
    )
    ground = base * canvas.height - noise.line(canvas.x * 1.3, ground_at, 3) * 0.025 * canvas.unit
    picture = Silhouette(canvas, base * canvas.height - height * 1.25 * canvas.unit)
    for place, size, lean in zip(places, sizes, leans, strict=True):
        at = (place - 0.5) * spread
        if abs(at) > wide / 2 + 0.15 or abs(at - (scene.sun_x - 0.5) * wide * 0.5) < gap:
            continue
        x = canvas.width / 2 + at * canvas.unit
        foot = ground[int(np.clip(x, 0, canvas.width - 1))] + 0.01 * canvas.unit
        _conifer(picture, x, float(foot), canvas.unit * height * (0.55 + 0.6 * size), lean)
    picture.polygon([(0, canvas.height), *((float(x), float(ground[x])) for x in range(0, canvas.width, 4)),
                     (canvas.width, float(ground[-1])), (canvas.width, canvas.height)])  # fmt: skip
    canvas.blend(picture.mask(), colour, picture.top)


def _conifer(picture: Silhouette, x: float, foot: float, height: float, lean: Array) -> None:
    """A spruce: many drooping tiers, irregular left and right, a fine tip."""
    tiers = 17
    left, right = [], []
    spread = height * (0.125 + 0.05 * float(lean[23]))
    for tier in range(tiers):
        down = (tier + 0.6) / tiers
        y = foot - height * (1 - down * 0.95)
        reach = spread * down**0.9
        out_l, out_r = reach * (0.70 + 0.5 * float(lean[tier])), reach * (0.70 + 0.5 * float(lean[(tier + 7) % 23]))
        drop = height * (0.018 + 0.020 * down)
        left += [(x - out_l * 0.55, y - drop * 0.4), (x - out_l, y + drop), (x - out_l * 0.6, y + drop * 0.75)]
        right += [(x + out_r * 0.55, y - drop * 0.4), (x + out_r, y + drop), (x + out_r * 0.6, y + drop * 0.75)]
    trunk = height * 0.012
    picture.polygon([(x, foot - height), *left, (x - trunk, foot - height * 0.04), (x - trunk, foot), (x + trunk, foot),
                     (x + trunk, foot - height * 0.04), *reversed(right)])  # fmt: skip


def _mist(canvas: Canvas, scene: Scene, rng: np.random.Generator, base: float, near: float) -> None:
    small = (48, 96)
    patches = noise.window(small, rng.random(), rng.random(), 0.5, 0.2)
    y = np.linspace(0, 1, small[0], dtype=np.float32)[:, None]
    band = np.exp(-(((y - base) / 0.10) ** 2))
    thick = (0.75 if scene.weather == "fog" else 0.42) * (1 - 0.6 * near)
    amount = canvas.soft(np.asarray(np.clip(band * (0.3 + 1.2 * patches) * thick, 0, 0.9), np.float32))
    canvas.blend(amount, mix(scene.palette.haze, scene.palette.glow, 0.25))


def cast_rays(canvas: Canvas, scene: Scene, strength: float = 0.36) -> None:
    """Shafts of light fanning out from the sun."""
    rng = scene.rng("rays")
    small = (max(16, canvas.height // 4), max(16, canvas.width // 4))
    y = ((np.arange(small[0], dtype=np.float32) + 0.5) / small[0])[:, None] * canvas.height
    x = ((np.arange(small[1], dtype=np.float32) + 0.5) / small[1])[None, :] * canvas.width
    dx, dy = x - scene.sun_x * canvas.width, y - scene.sun_y * canvas.height + 0.06 * canvas.unit
    angle = np.arctan2(dx, dy)
    beams = noise.line(np.asarray(angle * 5.0, np.float32), rng.random() * 900 + 0.22 * scene.at_s, 3, 0.6)
    far = np.hypot(dx, dy) / canvas.unit
    light = np.clip(beams + 0.1, 0, 1) * np.exp(-far * 1.6) * strength * scene.palette.sun_strength
    canvas.shine(canvas.soft(np.asarray(light, np.float32)), scene.palette.glow)
