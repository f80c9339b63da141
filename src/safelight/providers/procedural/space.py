"""Space: nebulae, many stars, and one great planet with its shadow side, bands or seas, and sometimes rings."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.celestial import scatter_stars
from safelight.providers.procedural.colour import Array, lch, mix, rgb, to_oklab
from safelight.providers.procedural.noise import smoothstep
from safelight.providers.procedural.scene import Scene

RED_WORLD, RINGED, BANDED = {"mars"}, {"saturn", "ring", "rings", "ringed"}, {"jupiter", "gas"}


def paint_nebula(canvas: Canvas, scene: Scene) -> None:
    """Black space with two colours of glowing gas, and stars of all sizes."""
    rng = scene.rng("nebula")
    hue, step, u, v, slant = rng.random(5).tolist()
    small = (max(16, canvas.height // 2), max(16, canvas.width // 2))
    y = ((np.arange(small[0], dtype=np.float32) + 0.5) / small[0] - 0.5)[:, None] * (canvas.height / canvas.unit)
    x = ((np.arange(small[1], dtype=np.float32) + 0.5) / small[1] - 0.5)[None, :] * (canvas.width / canvas.unit)
    warp = noise.sample(x * 0.3 + u, y * 0.3 + v)
    gas = noise.sample(x * 0.34 + v + 0.35 * warp, y * 0.34 + u + 0.35 * warp)
    dust = noise.sample(x * 0.8 + u + 0.2 * warp, y * 0.8 + v)
    band = np.exp(-(((y * np.cos(slant * 3) + x * np.sin(slant * 3) + 0.3 * (warp - 0.5)) / 0.42) ** 2))
    amount = np.clip(band * smoothstep(0.36, 0.95, gas) * 1.15 - 0.5 * smoothstep(0.55, 0.9, dust), 0, 1)
    first = scene.palette.tint if scene.palette.tint is not None else lch(0.62, 0.16, 360 * hue)
    second = lch(0.55, 0.17, 360 * hue + 70 + 80 * step)
    deep = np.array([0.012, 0.014, 0.035])
    for k in range(3):
        tone = first[k] + smoothstep(0.35, 0.7, warp) * (second[k] - first[k])
        canvas.rgb[k] = canvas.soft(deep[k] + amount * tone + amount**3 * 0.5)
    scatter_stars(canvas, scene, np.ones((1, 1)), 1800)


def paint_planet(canvas: Canvas, scene: Scene) -> None:
    """The planet, lit from the sun's side; its rings pass behind and before it. A small moon keeps it company."""
    rng = scene.rng("planet")
    size, tilt, kind, ring, up, moon_at, moon_size = rng.random(7).tolist()
    words = scene.reading.words
    radius = canvas.unit * (0.25 + 0.09 * size)
    alone = not scene.subjects
    cx = canvas.width * (0.5 + (0.09 if alone else 0.3) * (1 if scene.mirrored else -1))
    cy = canvas.height * ((0.48 if alone else 0.26) + 0.08 * up)
    ringed = bool(words & RINGED) or (ring < 0.45 and not words & (RED_WORLD | BANDED | {"earth"}))
    angle = (tilt - 0.5) * 0.9
    tones = _tones(scene, rng, words)
    if ringed:
        _rings(canvas, (cx, cy), radius, angle, tones, front=False, lamp=scene.mirrored)
    _ball(
        canvas,
        (cx, cy),
        radius,
        angle,
        tones,
        rng,
        banded=ringed or bool(words & BANDED) or kind < 0.3,
        lamp=scene.mirrored,
        turned=0.012 * scene.at_s,
    )
    if ringed:
        _rings(canvas, (cx, cy), radius, angle, tones, front=True, lamp=scene.mirrored)
    side = 1 if not scene.mirrored else -1
    moon = (cx + side * radius * (1.35 + 0.3 * moon_at), cy - radius * (0.75 + 0.3 * moon_at))
    grey = [rgb("#6f6a70"), rgb("#b9b2ac"), rgb("#e6e0d6")]
    _ball(canvas, moon, radius * (0.12 + 0.08 * moon_size), 0.3, grey, rng, banded=False, lamp=scene.mirrored)


def _tones(scene: Scene, rng: np.random.Generator, words: frozenset[str]) -> list[Array]:
    """Three colours from low to high ground."""
    if words & RED_WORLD:
        return [rgb("#7a2f1c"), rgb("#c8623a"), rgb("#f0b083")]
    if "earth" in words:
        return [rgb("#123f7a"), rgb("#2f7f9a"), rgb("#6f9a55")]
    hue, turn, deep = rng.random(3).tolist()
    if scene.palette.tint is not None:
        tint = to_oklab(scene.palette.tint)
        hue = float(np.arctan2(tint[2], tint[1]) / (2 * np.pi))
    return [
        lch(0.32 + 0.1 * deep, 0.11, 360 * hue),
        lch(0.62, 0.13, 360 * hue + 25),
        lch(0.86, 0.08, 360 * hue + 40 + 90 * turn),
    ]


def _ball(canvas: Canvas, centre: tuple[float, float], radius: float, angle: float, tones: list[Array],
          rng: np.random.Generator, banded: bool, lamp: bool, turned: float = 0.0) -> None:  # fmt: skip
    cx, cy = centre
    side = int(radius * 2.5) + 2
    left, top = int(cx - side / 2), int(cy - side / 2)
    x = ((np.arange(left, left + side, dtype=np.float32) + 0.5 - cx) / radius)[None, :]
    y = ((np.arange(top, top + side, dtype=np.float32) + 0.5 - cy) / radius)[:, None]
    far = np.hypot(x, y)
    z = np.sqrt(np.clip(1 - far * far, 0, 1))
    turned_x, turned_y = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    east, north = np.arctan2(turned_x, z + 0.02) * 0.16 + turned, np.arcsin(np.clip(turned_y, -1, 1)) * 0.16
    u, v = rng.random(2).tolist()
    if banded:
        swirl = noise.sample(east * 1.2 + u, north * 2.0 + v)
        ground = noise.line((north * 26 + 2.2 * (swirl - 0.5)).astype(np.float32), u * 400, 4) * 0.5 + 0.5
    else:
        swirl = noise.sample(east * 0.9 + v, north * 0.9 + u)
        ground = noise.sample(east * 1.5 + u + 0.12 * swirl, north * 1.5 + v + 0.12 * swirl)
    toward = -1.0 if lamp else 1.0
    facing = (x * toward * 0.74 - y * 0.42 + z * 0.52) / 1.0
    day = smoothstep(-0.12, 0.75, facing)
    low, high = smoothstep(0.25, 0.6, ground), smoothstep(0.52, 0.9, ground)
    rim = np.clip(far, 0, 1) ** 5
    air = mix(tones[2], rgb("#cfe6ff"), 0.5)
    planes = np.empty((3, side, side), np.float32)
    for k in range(3):
        tone = tones[0][k] + low * (tones[1][k] - tones[0][k])
        tone = tone + high * (tones[2][k] - tone)
        planes[k] = tone * (0.02 + 1.1 * day) + rim * day * air[k] * 0.55
    halo = np.clip(1.0 - (far - 1.0) / 0.16, 0, 1) ** 3 * (far > 0.98) * smoothstep(-0.3, 0.7, facing)
    canvas.shine(halo * 0.55, air, top, left)
    canvas.blend(np.clip((1 - far) * radius + 0.5, 0, 1), planes, top, left)


def _rings(canvas: Canvas, centre: tuple[float, float], radius: float, angle: float, tones: list[Array],
           front: bool, lamp: bool) -> None:  # fmt: skip
    cx, cy = centre
    reach = int(radius * 2.35)
    rise = int(radius * 2.35 * (abs(np.sin(angle)) + 0.26 * np.cos(angle)))
    left, top = int(cx) - reach, int(cy) - rise
    x = ((np.arange(left, left + 2 * reach, dtype=np.float32) + 0.5 - cx) / radius)[None, :]
    y = ((np.arange(top, top + 2 * rise, dtype=np.float32) + 0.5 - cy) / radius)[:, None]
    along, across = x * np.cos(angle) + y * np.sin(angle), (y * np.cos(angle) - x * np.sin(angle)) / 0.26
    far = np.hypot(along, across)
    inside = (far > 1.22) & (far < 2.28) & ((across > 0) == front)
    grooves = noise.line((far * 9).astype(np.float32), 11.0, 4, 0.7) * 0.5 + 0.55
    mask = np.clip(grooves, 0.08, 0.95) * smoothstep(1.22, 1.3, far) * smoothstep(2.28, 2.16, far) * inside
    behind = smoothstep(0.1, 0.9, along * (1 if lamp else -1)) * smoothstep(1.1, 0.7, np.abs(across))
    shadow = 1 - 0.8 * behind * (not front)
    tone = mix(tones[2], rgb("#fff4e2"), 0.35)
    canvas.blend(mask * 0.9, tone[:, None, None] * (0.55 + 0.45 * grooves) * shadow, top, left)
