"""What hangs in the sky: sun, moon, stars, aurora."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, mix, rgb
from safelight.providers.procedural.noise import smoothstep
from safelight.providers.procedural.scene import Scene


def scatter_stars(canvas: Canvas, scene: Scene, open_sky: Array, count: int = 1100) -> None:
    """Stars of very different brightness, fading toward the horizon; on a clear night a band of them."""
    rng = scene.rng("stars")
    x, y = rng.random(count), rng.random(count)
    power, warmth = rng.random(count) ** 7, rng.random(count)
    band = rng.random(count) < 0.35
    y = np.where(band, np.clip(0.15 + 0.5 * x + rng.normal(0, 0.06, count), 0, 1), y)
    fade = 1.0 if scene.place == "space" else np.clip(1.1 - y / max(scene.horizon, 0.3), 0, 1) * scene.palette.stars
    size = canvas.unit / 1024
    twinkle = 1 + 0.4 * np.sin((1.5 + 4.5 * warmth) * scene.at_s)
    light = splat(canvas, x, y, (0.2 + power * 1.6) * fade * twinkle, np.maximum(0.45, size * (0.5 + 1.1 * power)))
    light *= open_sky**2
    cool, warm = rgb("#cfe0ff"), rgb("#ffe9c8")
    tone = mix(cool, warm, float(warmth.mean()))
    canvas.shine(np.minimum(light, 1), tone)


def splat(canvas: Canvas, x: Array, y: Array, bright: Array, radius: Array) -> Array:
    """Soft points (shares of width and height; radius in pixels) summed into one plane."""
    plane = np.zeros((canvas.height, canvas.width), np.float32)
    px, py = x * canvas.width, y * canvas.height
    reach = int(np.ceil(float(radius.max()) * 2.5))
    left, top = np.floor(px).astype(int), np.floor(py).astype(int)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            column, row = left + dx, top + dy
            inside = (column >= 0) & (column < canvas.width) & (row >= 0) & (row < canvas.height)
            far = (column + 0.5 - px) ** 2 + (row + 0.5 - py) ** 2
            value = bright * np.exp(-far / (2 * radius**2))
            np.add.at(plane, (row[inside], column[inside]), value[inside].astype(np.float32))
    return plane


def paint_disc(canvas: Canvas, scene: Scene, open_sky: Array) -> None:
    """The sun, or at night the moon with its seas."""
    rng = scene.rng("disc")
    night = scene.time == "night"
    radius = (
        canvas.unit * (0.045 + 0.02 * rng.random()) * {"sunset": 1.45, "dawn": 1.3, "night": 1.15}.get(scene.time, 0.8)
    )
    if scene.time == "dusk":
        return
    cx, cy = scene.sun_x * canvas.width, scene.sun_y * canvas.height
    top, left = int(cy - radius * 2), int(cx - radius * 2)
    side = int(radius * 4) + 2
    y = np.arange(top, top + side, dtype=np.float32)[:, None] + 0.5 - cy
    x = np.arange(left, left + side, dtype=np.float32)[None, :] + 0.5 - cx
    far = np.hypot(x, y)
    mask = np.clip(radius - far + 0.5, 0, 1)
    colour = scene.palette.disc[:, None, None] * np.ones((1, side, side), np.float32)
    if night:
        seas = noise.window((side, side), rng.random(), rng.random(), 0.35, 0.35)
        ball = np.sqrt(np.clip(1 - (far / radius) ** 2, 0, 1))
        colour = colour * (0.80 + 0.20 * ball - 0.16 * smoothstep(0.5, 0.75, seas))
    veil = _cut(open_sky, top, left, side)
    strength = 0.35 + 0.65 * veil if night else 0.25 + 0.75 * veil
    canvas.blend(np.asarray(mask * strength, np.float32), np.asarray(colour, np.float32), top, left)


def _cut(plane: Array, top: int, left: int, side: int) -> Array:
    rows = np.clip(np.arange(top, top + side), 0, plane.shape[0] - 1)
    columns = np.clip(np.arange(left, left + side), 0, plane.shape[1] - 1)
    return np.asarray(plane[rows][:, columns])


def hang_aurora(canvas: Canvas, scene: Scene) -> None:
    """Curtains of light: bright wavy hems, fading upward in rays."""
    rng = scene.rng("aurora")
    high, wide = max(16, canvas.height // 2), max(16, canvas.width // 2)
    x = ((np.arange(wide, dtype=np.float32) + 0.5) / wide - 0.5) * (canvas.width / canvas.unit)
    y = ((np.arange(high, dtype=np.float32) + 0.5) / high)[:, None]
    green, violet = rgb("#4dffb0"), rgb("#b25cff")
    for curtain in range(3):
        base, offset, reach, slant = rng.random(4).tolist()
        hem = scene.horizon * (0.42 + 0.2 * curtain + 0.12 * base) + 0.10 * noise.line(
            x * 0.9, offset * 500 + 0.16 * scene.at_s, 4
        )
        hem += 0.12 * (slant - 0.5) * x
        rays = 0.55 + 0.45 * noise.line(x * 26, offset * 900 + 1.1 * scene.at_s, 3, 0.7)
        above = (hem - y) / (0.20 + 0.22 * reach)
        fall = np.clip(above, 0, None)
        glow = np.exp(-fall * 2.6) * smoothstep(-0.05, 0.06, above) * np.clip(rays, 0.12, 1) * (0.85 - 0.18 * curtain)
        share = np.clip(fall * 1.2, 0, 1)
        light = canvas.soft(np.asarray(glow, np.float32))
        toned = canvas.soft(np.asarray(glow * share, np.float32))
        canvas.shine(np.clip(light - 0.7 * toned, 0, 1), green)
        canvas.shine(np.clip(toned, 0, 1) * 0.8, violet)
