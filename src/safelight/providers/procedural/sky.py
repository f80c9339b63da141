"""The sky: its gradient, the glow around the sun, and clouds lit from the sun's side."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.celestial import hang_aurora, paint_disc, scatter_stars
from safelight.providers.procedural.colour import Array, mix, ramp, rgb
from safelight.providers.procedural.noise import smoothstep
from safelight.providers.procedural.scene import Scene

STOPS = [0.0, 0.42, 0.78, 1.0]


def paint_sky(canvas: Canvas, scene: Scene) -> None:
    """Fill the whole canvas; what lies under the horizon is painted over by the land."""
    small = (max(16, min(canvas.height // 2, 640)), max(16, min(canvas.width // 2, 640)))
    y = ((np.arange(small[0], dtype=np.float32) + 0.5) / small[0])[:, None]
    x = ((np.arange(small[1], dtype=np.float32) + 0.5) / small[1])[None, :]
    sky = ramp(list(scene.palette.sky), STOPS, np.clip(y / scene.horizon, 0, 1)) * np.ones_like(x)
    far = distance(canvas, scene, x, y)
    _add_glow(sky, far, scene)
    cover = np.zeros(small, np.float32)
    if scene.palette.cover > 0:
        cover = _paint_clouds(sky, canvas, scene, x, y, far)
    for k in range(3):
        canvas.rgb[k] = canvas.soft(sky[k])
    open_sky = 1 - canvas.soft(cover)
    if scene.palette.stars > 0:
        scatter_stars(canvas, scene, open_sky)
    if scene.weather == "aurora":
        hang_aurora(canvas, scene)
    if scene.palette.sun_strength > 0.3:
        paint_disc(canvas, scene, open_sky)


def distance(canvas: Canvas, scene: Scene, x: Array, y: Array) -> Array:
    """How far points (shares of width and height) are from the sun, in units."""
    across = (x - scene.sun_x) * (canvas.width / canvas.unit)
    down = (y - scene.sun_y) * (canvas.height / canvas.unit)
    return np.asarray(np.hypot(across, down), np.float32)


def _add_glow(sky: Array, far: Array, scene: Scene) -> None:
    strength = scene.palette.sun_strength * (0.55 if scene.time == "night" else 0.9)
    near = np.clip(0.75 * np.exp(-far * 3.2) + 0.5 * np.exp(-far * 10), 0, 1) * strength
    for k in range(3):
        sky[k] += near * (scene.palette.glow[k] - sky[k])


def _paint_clouds(sky: Array, canvas: Canvas, scene: Scene, x: Array, y: Array, far: Array) -> Array:
    """Lay clouds over the sky; returns how much of it they cover."""
    body, facing = _clouds(canvas, scene, x, y)
    bright, dull = _cloud_colours(scene)
    halo = np.exp(-far * 3.0) * scene.palette.sun_strength
    share = np.clip(facing * (0.55 + 0.6 * halo) + 0.35 * halo, 0, 1)
    for k in range(3):
        colour = dull[k] + share * (bright[k] - dull[k])
        sky[k] += body * (colour - sky[k])
    return body


def _clouds(canvas: Canvas, scene: Scene, x: Array, y: Array) -> tuple[Array, Array]:
    """How thick the clouds are, and how much they face the sun: where they thin out toward it they are lit."""
    offset_u, offset_v, stretch, billow = scene.rng("clouds").random(4).tolist()
    offset_u, offset_v = offset_u + 0.006 * scene.at_s, offset_v + 0.0012 * scene.at_s
    down = y / scene.horizon
    depth = 1 / np.clip(1.16 - down, 0.12, None)
    u = (x - 0.5) * (canvas.width / canvas.unit) * depth * (0.20 + 0.10 * stretch) + offset_u
    v = depth * (0.42 + 0.2 * billow) + offset_v
    u, v = np.broadcast_arrays(u, v)
    warp = noise.sample(u * 0.5 + 0.3, v * 0.5)
    u, v = u + 0.10 * warp, v + 0.06 * warp
    density = noise.sample(u, v)
    across, upward = np.tanh((scene.sun_x - x) * 4), np.tanh((scene.sun_y - y + 0.05) * 8)
    toward = noise.sample(u + across * 0.012 * depth, v + upward * 0.035 * depth)
    limit = 0.86 - 0.62 * scene.palette.cover
    body = smoothstep(limit, limit + 0.26, density) * smoothstep(0.0, 0.10, 1.02 - down) * 0.92
    thick = smoothstep(limit + 0.1, limit + 0.5, density)
    return body, np.clip(0.5 + (density - toward) * 3.2, 0, 1) * (1 - 0.55 * thick)


def _cloud_colours(scene: Scene) -> tuple[Array, Array]:
    palette = scene.palette
    if scene.weather == "storm":
        return mix(palette.haze, rgb("#aeb8c2"), 0.3), mix(palette.sky[0], rgb("#141a22"), 0.55)
    if scene.time == "night":
        return mix(palette.glow, palette.sky[2], 0.55), mix(palette.sky[1], palette.sky[0], 0.3)
    if scene.time in ("noon", "morning"):
        dull = mix(palette.sky[2], rgb("#8d9db0"), 0.5)
        return mix(rgb("#ffffff"), palette.glow, 0.15), mix(dull, palette.shade, 0.15 + 0.25 * palette.cover)
    return mix(palette.glow, palette.disc, 0.45), mix(palette.sky[1], palette.shade, 0.5)
