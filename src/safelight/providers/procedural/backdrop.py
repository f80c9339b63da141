"""Behind people: a studio wall with a great disc, and a cloister's vault with its window."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, lch, mix, rgb, to_oklab
from safelight.providers.procedural.materials import STONE
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.shapes import Points, Silhouette


def paint_studio(canvas: Canvas, scene: Scene) -> None:
    """A painted wall, lit from one side; a disc or sunrays behind the head."""
    rng = scene.rng("studio")
    hue, kind, turn, u, v = rng.random(5).tolist()
    base = 360 * hue
    if scene.palette.tint is not None:
        tint = to_oklab(scene.palette.tint)
        base = float(np.rad2deg(np.arctan2(tint[2], tint[1])))
    dark = scene.time == "night"
    wall, deep = lch(0.40 if dark else 0.70, 0.09, base), lch(0.22 if dark else 0.50, 0.10, base + 15)
    halo = lch(0.60 if dark else 0.87, 0.10, base + (28, -32, 55, 170)[int(turn * 4)])
    x = canvas.x[None, :]
    y = canvas.rows / canvas.unit - canvas.height / canvas.unit
    brush = noise.window((canvas.height, canvas.width), u, v, 0.5 * canvas.width / canvas.unit, 0.9) - 0.5
    shade = np.clip(0.5 + 0.55 * x - 0.35 * (y + 0.5) + 0.35 * brush, 0, 1)
    for k in range(3):
        canvas.rgb[k] = wall[k] + shade * (deep[k] - wall[k])
    far = np.hypot(x, y + 0.60)
    if kind < 0.45:
        _layer(canvas, np.clip((0.37 - far) * canvas.unit + 0.5, 0, 1), halo, 0.85)
    elif kind < 0.75:
        rays = np.clip(np.sin(np.arctan2(y + 0.60, x) * 14) * far * canvas.unit / 14 + 0.5, 0, 1)
        _layer(canvas, rays * np.clip((far - 0.36) * 8, 0, 1), halo, 0.45)
        _layer(canvas, np.clip((0.36 - far) * canvas.unit + 0.5, 0, 1), halo, 0.75)
    else:
        for ring in range(4):
            _layer(
                canvas,
                np.clip((0.66 - 0.11 * ring - far) * canvas.unit + 0.5, 0, 1),
                mix(deep, halo, 0.2 + 0.25 * ring),
                0.8,
            )


def _layer(canvas: Canvas, mask: Array, colour: Array, strength: float) -> None:
    canvas.blend(np.asarray(mask * strength, np.float32), colour)


def paint_cloister(canvas: Canvas, scene: Scene) -> None:
    """Stone in half-light, and a pointed window full of sky; its light lies slanting in the air."""
    rng = scene.rng("cloister")
    sky = canvas.rgb.copy()
    _stones(canvas, scene, rng)
    unit, middle, foot = canvas.unit, canvas.width * (0.5 + 0.04 * (1 if scene.mirrored else -1)), canvas.height * 0.88
    aside = [(0.62 * at, 0.17, 0.60) for at in range(-7, 8) if at and abs(0.62 * at) < canvas.width / unit / 2 + 0.2]
    for offset, half, top in (*aside, (0.0, 0.30, 0.80)):
        x = middle + offset * unit
        frame = Silhouette(canvas)
        frame.polygon(arch(x, foot, half * 1.14 * unit, top * 1.05 * unit))
        canvas.blend(frame.mask(), scene.palette.lit(STONE * 0.62, 0.25))
        pane = Silhouette(canvas)
        pane.polygon(arch(x, foot - 0.03 * unit, half * unit, top * unit))
        canvas.blend(pane.mask(), sky)
        _tracery(canvas, scene, x, foot, half * unit, top * unit)
    _floor(canvas, scene, foot)
    _shafts(canvas, scene, middle)


def arch(x: float, foot: float, half: float, high: float) -> Points:
    """A pointed arch: two arcs, each struck from the other side's springing."""
    spring = high - half * 1.732
    left = [
        (x + half - 2 * half * np.cos(a), foot - spring - 2 * half * np.sin(a)) for a in np.linspace(0, np.pi / 3, 16)
    ]
    right = [(2 * x - px, py) for px, py in reversed(left)]
    return [(x - half, foot), *left, *right, (x + half, foot)]


def _stones(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    bright, dim = scene.palette.lit(STONE, 0.6), scene.palette.lit(STONE * 0.5, 0.12)
    mottle = noise.window(
        (canvas.height, canvas.width), rng.random(), rng.random(), 0.9 * canvas.width / canvas.unit, 0.9
    )
    x, y = canvas.x[None, :], canvas.rows / canvas.unit
    course = np.floor(y / 0.075)
    joints = np.minimum(
        np.abs(y / 0.075 - np.round(y / 0.075)) * 0.075, np.abs(((x + 0.09 * (course % 2)) / 0.18) % 1.0 - 0.5) * 0.18
    )
    seam = np.clip(1 - joints * 320, 0, 1)
    light = np.clip(0.60 - 0.55 * np.minimum(np.abs(x), 0.6) + 0.5 * (mottle - 0.5), 0, 1) * (1 - 0.4 * seam)
    for k in range(3):
        canvas.rgb[k] = dim[k] + light * (bright[k] - dim[k])


def _tracery(canvas: Canvas, scene: Scene, x: float, foot: float, half: float, high: float) -> None:
    bars = Silhouette(canvas)
    thick = canvas.unit * 0.012
    spring = foot - (high - half * 1.732)
    bars.line([(x, foot), (x, spring - half * 0.25)], thick)
    for side in (-1, 1):
        small = arch(x + side * half / 2, spring + half * 0.2, half / 2, half * 0.75)
        bars.line(small[1:-1], thick)
    bars.ellipse(x, spring - half * 0.72, half * 0.33, half * 0.33)
    bars.ellipse(x, spring - half * 0.72, half * 0.33 - thick, half * 0.33 - thick, 0)
    canvas.blend(bars.mask(), scene.palette.lit(STONE * 0.5, 0.1))


def _floor(canvas: Canvas, scene: Scene, foot: float) -> None:
    top = int(foot)
    high = canvas.height - top
    if high < 2:
        return
    depth = np.linspace(0, 1, high, dtype=np.float32)[:, None]
    bright, dim = scene.palette.lit(STONE * 0.8, 0.45), scene.palette.lit(STONE * 0.35, 0.0)
    pool = np.exp(-((canvas.x[None, :] / 0.42) ** 2)) * (1 - 0.6 * depth)
    tiles = ((np.floor(canvas.x[None, :] / (0.10 + 0.06 * depth)) + np.floor(depth * 2.6)) % 2) * 0.12
    canvas.blend(
        np.ones((high, canvas.width), np.float32),
        dim[:, None, None] + (pool - tiles * pool) * (bright - dim)[:, None, None],
        top,
    )


def _shafts(canvas: Canvas, scene: Scene, middle: float) -> None:
    small = (canvas.height // 4, canvas.width // 4)
    y = ((np.arange(small[0]) + 0.5) / small[0])[:, None] * canvas.height / canvas.unit
    x = (((np.arange(small[1]) + 0.5) / small[1])[None, :] * canvas.width - middle) / canvas.unit
    slant = x - (0.5 if scene.mirrored else -0.5) * (y - 0.25)
    beam = (
        np.exp(-((slant / 0.20) ** 2))
        * (0.75 + 0.25 * np.sin(slant * 60))
        * np.clip((y - 0.05) * 3, 0, 1)
        * np.clip(1.35 - y, 0, 1)
    )
    canvas.shine(
        canvas.soft(beam * 0.34 * max(0.5, scene.palette.sun_strength)), mix(scene.palette.glow, rgb("#ffe9c0"), 0.4)
    )
