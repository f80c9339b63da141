"""Land in layers: ridgelines before one another, each lit, each paler with distance."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, mix, rgb
from safelight.providers.procedural.noise import smoothstep
from safelight.providers.procedural.scene import Scene

ROCK, SNOW, GRASS, PINE, SAND = rgb("#7d7a80"), rgb("#f4f7fb"), rgb("#7ba24a"), rgb("#3f6a4a"), rgb("#e0b075")


def paint_range(canvas: Canvas, scene: Scene, distance: float, topic: str, base: float, height: float) -> None:
    """A mountain range: jagged ridge, faces toward the sun lit, the others in shade, snow near the peaks.

    `base` is a share of the height, `height` is in units, `distance` 0 near to 1 far.
    """
    rng = scene.rng(f"range {topic}")
    offset, frequency, snowline = rng.random() * 900, 1.3 + 0.9 * rng.random(), 0.35 + 0.25 * rng.random()
    ridge = _peaks(canvas.x * frequency, offset)
    edge = np.asarray(base * canvas.height - ridge * height * canvas.unit, np.float32)
    top = max(0, int(edge.min()) - 1)
    if top >= canvas.height:
        return
    bottom = min(canvas.height, int(base * canvas.height + 0.06 * canvas.unit) + 2)
    mask = canvas.mask_below(edge, top)[: bottom - top]
    below = np.maximum(canvas.rows[top:bottom] - edge, 0) / (canvas.unit * height)
    rough = noise.window(
        mask.shape, rng.random(), rng.random(), canvas.width / canvas.unit * 1.1, mask.shape[0] / canvas.unit * 1.1
    )
    lit = _faces(canvas, scene, ridge, below, rough, height, frequency)
    palette = scene.palette
    rock, dim = palette.lit(ROCK, 1.0, distance), palette.lit(ROCK * 0.9, 0.0, distance)
    colour = dim[:, None, None] + lit * (rock - dim)[:, None, None]
    share = _snow(scene, ridge, below, rough, snowline)
    white, blue = palette.lit(SNOW, 1.0, distance * 0.7), palette.lit(SNOW, 0.25, distance * 0.8)
    colour += share * (blue[:, None, None] + lit * (white - blue)[:, None, None] - colour)
    _sink_into_haze(canvas, scene, colour, top, base, height)
    canvas.blend(mask, np.asarray(colour, np.float32), top)


def _peaks(x: Array, offset: float) -> Array:
    """Sharp summits with broad feet, 0..1."""
    broad = 1 - np.abs(noise.line(x, offset, 1) * 0.62)
    sharp = 1 - np.abs(noise.line(x * 2.3, offset + 50, 5, 0.48))
    swell = 0.5 + 0.5 * noise.line(x * 0.6, offset + 99, 2)
    return np.asarray(
        np.clip(0.15 + 0.45 * broad * np.clip(swell, 0.1, 1) + 0.50 * sharp * np.clip(swell + 0.15, 0.2, 1), 0.02, 1.2),
        np.float32,
    )


def _faces(
    canvas: Canvas, scene: Scene, ridge: Array, below: Array, rough: Array, height: float, frequency: float
) -> Array:
    """1 where a face looks to the sun: the slope of the ridge above, wandering as it comes down."""
    columns = np.arange(canvas.width, dtype=np.float32)
    wander = (rough - 0.5) * 0.34 * canvas.unit * height * np.clip(0.25 + below * 2.0, 0, 1.4)
    slope = np.gradient(_smoothed(ridge, max(1, int(canvas.unit * 0.006)))) * canvas.unit
    facing = slope * (1.0 if scene.sun_x < 0.5 else -1.0)
    at = np.clip(columns + wander, 0, canvas.width - 1).astype(np.int32)
    steep = facing.astype(np.float32).take(at)
    return np.asarray(smoothstep(-0.35, 0.75, steep + (rough - 0.5) * 1.3), np.float32)


def _smoothed(values: Array, reach: int) -> Array:
    padded = np.pad(values, (reach + 1, reach), mode="edge").cumsum(dtype=np.float64)
    return np.asarray((padded[2 * reach + 1 :] - padded[: -2 * reach - 1]) / (2 * reach + 1), np.float32)


def _snow(scene: Scene, ridge: Array, below: Array, rough: Array, snowline: float) -> Array:
    altitude = ridge - below
    if scene.snowy:
        return smoothstep(-0.1, 0.25, altitude + (rough - 0.5) * 0.6)
    return smoothstep(snowline + 0.16, snowline + 0.26, altitude + (rough - 0.5) * 0.55)


def _sink_into_haze(canvas: Canvas, scene: Scene, colour: Array, top: int, base: float, height: float) -> None:
    """Valley mist: the lower the slope, the more haze."""
    rows = canvas.rows[top : top + colour.shape[1]]
    low = 1 - (base * canvas.height - rows) / (canvas.unit * height)
    mist = smoothstep(0.45, 1.15, low) * min(0.75, 0.2 * scene.palette.haze_density)
    for k in range(3):
        colour[k] += mist * (scene.palette.haze[k] - colour[k])


def paint_hill(
    canvas: Canvas, scene: Scene, distance: float, topic: str, base: float, height: float, surface: Array
) -> Array:
    """A rounded hill, lighter along its crest; returns the pixel row of its edge per column."""
    rng = scene.rng(f"hill {topic}")
    offset, frequency = rng.random() * 900, 0.7 + 0.7 * rng.random()
    wave = noise.line(canvas.x * frequency, offset, 2, 0.35) * 0.5
    edge = np.asarray(base * canvas.height - wave * height * canvas.unit, np.float32)
    cover_ground(canvas, scene, edge, distance, surface, f"hill {topic}", height)
    return edge


def cover_ground(
    canvas: Canvas, scene: Scene, edge: Array, distance: float, surface: Array, topic: str, height: float
) -> None:
    """Fill under an edge with lit ground: brightest at the crest, streaked along the slope, darker toward the viewer."""
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
