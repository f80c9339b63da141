"""Water: it mirrors what is above its shore, ripples, deepens toward the viewer, and glitters under the sun."""

from __future__ import annotations

import numpy as np
from PIL import Image

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, dyed, mix, rgb
from safelight.providers.procedural.noise import smoothstep
from safelight.providers.procedural.scene import Scene

WAVES = ((0.30, 5.0, 0.9, 0.17), (0.75, 13.0, 0.75, 0.34), (1.9, 31.0, 0.5, 0.62))
"""Trains of waves: tiles across, tiles away, strength, tiles that roll in per second."""
SWELLS = 6


def paint_water(canvas: Canvas, scene: Scene, shore: float, roughness: float = 1.0, clarity: float = 0.85) -> None:
    """Fill from the shore (share of the height) down. Roughness 0.3 is a pond, 1 a breeze, 1.5 the open sea.

    Rough water mirrors only colours, calm water shapes.
    """
    top = int(shore * canvas.height)
    high = canvas.height - top
    if high < 2:
        return
    depth = ((np.arange(high, dtype=np.float32) + 0.5) / high)[:, None]
    waves = _waves(canvas, scene, depth)
    slope = (waves - 0.5) * 2
    shift = slope * depth * canvas.unit * 0.08 * min(roughness, 1.0)
    source = top - 1 - (np.arange(high, dtype=np.float32)[:, None] * 0.92 + np.abs(shift))
    rows = np.clip(source, 0, canvas.height - 1).astype(np.int32)
    columns = np.arange(canvas.width, dtype=np.float32)[None, :] + shift * 0.5
    index = rows * canvas.width + np.clip(columns, 0, canvas.width - 1).astype(np.int32)
    deep, pale = _deep(scene), mix(scene.palette.sky[3], scene.palette.sky[2], 0.4)
    share = np.clip(1 - clarity + 0.5 * depth - slope * 0.35 * roughness * (0.25 + depth), 0, 0.95)
    crest = np.clip(slope - 0.25, 0, 1) * 0.5 * roughness
    for k in range(3):
        above = canvas.rgb[k] if roughness < 1.2 else _blurred(canvas.rgb[k, : max(top, 2)], canvas)
        mirrored = above.ravel().take(index)
        mirrored += share * (deep[k] - mirrored)
        canvas.rgb[k, top:] = mirrored + crest * (pale[k] - mirrored)
    if scene.palette.sun_strength > 0.3:
        _glitter(canvas, scene, top, depth, waves, roughness)


def _blurred(plane: Array, canvas: Canvas) -> Array:
    """A plane without its detail."""
    picture = Image.fromarray(np.ascontiguousarray(plane, np.float32))
    small = picture.resize((max(2, canvas.width // 64), max(2, canvas.height // 32)), Image.Resampling.BOX)
    return np.asarray(small.resize(picture.size, Image.Resampling.BICUBIC), np.float32)


def _waves(canvas: Canvas, scene: Scene, depth: Array) -> Array:
    """Noise in perspective: fine and flat at the shore, long swells nearby, rolling in as time goes on."""
    wide = canvas.width
    far = 1.0 / (0.12 + depth[:, 0])
    at = (far[0] - far) / (far[0] - far[-1])
    total = np.zeros((depth.shape[0], wide), np.float32)
    sheets = canvas.keep(f"waves {depth.shape[0]}", lambda: _sheets(canvas, scene))
    for flat, (_, away, strength, speed) in zip(sheets, WAVES, strict=True):
        total += strength * (flat[((at * away - speed * scene.at_s) % 1.0 * 639).astype(np.int32)] - 0.5)
    return np.asarray(0.5 + total * smoothstep(-0.08, 0.5, depth))


def _sheets(canvas: Canvas, scene: Scene) -> list[Array]:
    """Each train of waves seen from above, a tile long."""
    rng, wide = scene.rng("water"), canvas.width
    return [
        noise.window((640, wide), rng.random(), rng.random(), across * wide / canvas.unit, 1.0) for across, *_ in WAVES
    ]


def _deep(scene: Scene) -> Array:
    """The colour of the water itself."""
    palette = scene.palette
    own = {"noon": "#1f7fa6", "morning": "#2f8fa8", "dawn": "#5a6f94", "sunset": "#4a2f5c", "dusk": "#1c2748"}
    base = rgb(own.get(scene.time, "#061226"))
    base = mix(base, palette.sky[0], 0.35)
    if scene.weather in ("storm", "rain", "cloud"):
        base = mix(base, rgb("#26343c"), 0.6)
    return dyed(base, palette.tint, 0.6) if palette.tint is not None else base


def _glitter(canvas: Canvas, scene: Scene, top: int, depth: Array, waves: Array, roughness: float) -> None:
    """The sun's road on the water: glints, wider and larger toward the viewer."""
    across = np.abs(np.arange(canvas.width, dtype=np.float32)[None, :] - scene.sun_x * canvas.width) / canvas.unit
    width = 0.025 + (0.05 + 0.12 * roughness) * depth
    road = np.exp(-((across / width) ** 2))
    glint = smoothstep(0.54, 0.74, waves + 0.10 * road)
    strength = (
        scene.palette.sun_strength * (0.55 if scene.time == "night" else 0.95) * (0.35 if scene.time == "noon" else 1.0)
    )
    light = road * (0.22 + 0.9 * glint) * strength * (1 - 0.35 * depth)
    canvas.shine(np.asarray(np.minimum(light, 1), np.float32), mix(scene.palette.disc, scene.palette.glow, 0.45), top)


def paint_swell(canvas: Canvas, scene: Scene) -> None:
    """A storm's waves: steep crests one before the other."""
    for layer in range(SWELLS):
        paint_one_swell(canvas, scene, layer)


def paint_one_swell(canvas: Canvas, scene: Scene, layer: int) -> None:
    """One of them, 0 the farthest: light through its top, foam along its edge."""
    draws = scene.rng("swell").random((SWELLS, 4))[layer]
    dark, teal = mix(_deep(scene), rgb("#0b1a22"), 0.45), mix(scene.palette.haze, rgb("#3f7f86"), 0.6)
    foam = mix(rgb("#eef5f6"), scene.palette.haze, 0.35)
    near = (layer + 1) / SWELLS
    body = mix(mix(dark, scene.palette.haze, 0.5), dark, near)
    _wave(canvas, scene, draws, near, body, mix(scene.palette.haze, teal, near), foam)


def _wave(canvas: Canvas, scene: Scene, draws: Array, near: float, body: Array, crest: Array, foam: Array) -> None:
    offset, beat, u, v = draws.tolist()
    x = canvas.x * (2.6 - 1.7 * near) + 0.3 * near * noise.line(canvas.x * 2, offset * 100, 2)
    peaks = 1 - np.abs(noise.line(x, offset * 900, 2, 0.35)) * 1.1
    chop = 0.05 * noise.line(x * 9, beat * 700, 4, 0.6)
    base = scene.horizon + (1.0 - scene.horizon) * (near**1.4) * 0.86 + 0.02
    edge = np.asarray((base * canvas.height) - (peaks + chop) * canvas.unit * (0.015 + 0.17 * near**1.3), np.float32)
    top = max(0, int(edge.min()) - int(0.02 * canvas.unit))
    if top >= canvas.height:
        return
    mask = canvas.mask_below(edge, top)
    below = np.maximum(canvas.rows[top:] - edge, 0) / (canvas.unit * (0.03 + 0.15 * near))
    streaks = noise.window(
        mask.shape, u, v, canvas.width / canvas.unit * (1.4 - 0.7 * near), mask.shape[0] / canvas.unit * 2.2
    )
    thin = np.exp(-below * 2.2) * np.clip(peaks + 0.15, 0, 1) ** 2
    white = np.exp(-below * 16) * smoothstep(0.35, 0.75, streaks + 0.35 * np.clip(peaks, 0, 1))
    lace = smoothstep(0.62, 0.74, streaks) * np.exp(-below * 1.6) * 0.55
    colour = body[:, None, None] + thin * (crest - body)[:, None, None]
    share = np.clip(white + lace, 0, 0.95)
    colour = colour + share * (foam[:, None, None] - colour)
    canvas.blend(mask, np.asarray(colour, np.float32), top)
