"""Pictures for words nobody taught us: colour and movement, chosen by the words themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, lch, mix, ramp, rgb, to_oklab
from safelight.providers.procedural.noise import smoothstep
from safelight.providers.procedural.scene import Scene

Way = Callable[[Canvas, np.random.Generator, list[Array], float], None]


def paint_abstract(canvas: Canvas, scene: Scene) -> None:
    """One of several ways to fill a picture; the words pick the way and the colours, the seed varies both."""
    rng = scene.rng("abstract")
    ways: tuple[Way, ...] = (_marble, _paper, _discs, _silk)
    ways[int(rng.random() * len(ways))](canvas, rng, _colours(scene, rng), scene.at_s)


def _colours(scene: Scene, rng: np.random.Generator) -> list[Array]:
    """Five colours from deep to light around two hues that go together."""
    hue = 360 * rng.random()
    if scene.palette.tint is not None:
        tint = to_oklab(scene.palette.tint)
        hue = float(np.rad2deg(np.arctan2(tint[2], tint[1])))
    far_apart = [28, 45, 150, 180, 205] if scene.palette.tint is None else [14, 22, 30]
    step = float(rng.choice(far_apart)) * float(rng.choice([-1, 1]))
    strength = 0.9 + 0.35 * rng.random()
    return [
        lch(0.24, 0.07 * strength, hue),
        lch(0.42, 0.12 * strength, hue + 0.2 * step),
        lch(0.62, 0.14 * strength, hue + 0.55 * step),
        lch(0.78, 0.12 * strength, hue + step),
        lch(0.93, 0.05, hue + step * 0.9),
    ]


def _grid(canvas: Canvas, shrink: int = 2) -> tuple[Array, Array]:
    """Coordinates in units, the middle at 0, for a smaller grid over the picture."""
    high, wide = max(16, canvas.height // shrink), max(16, canvas.width // shrink)
    y = ((np.arange(high, dtype=np.float32) + 0.5) / high - 0.5)[:, None] * np.float32(canvas.height / canvas.unit)
    x = ((np.arange(wide, dtype=np.float32) + 0.5) / wide - 0.5)[None, :] * np.float32(canvas.width / canvas.unit)
    return x, y


def _marble(canvas: Canvas, rng: np.random.Generator, colours: list[Array], at_s: float) -> None:
    """Ink in water: noise bent by noise, with light falling across its folds."""
    x, y = _grid(canvas)
    u, v, zoom, bend = rng.random(4).tolist()
    size, smooth = 0.10 + 0.10 * zoom, noise.texture(0.42)
    first = noise.sample(x * size + u, y * size + v, smooth)
    second = noise.sample(x * size + v + 0.5 * first + 0.006 * at_s, y * size + u + 0.3 * first, smooth)
    field = noise.sample(x * size + u + (0.5 + 0.5 * bend) * second, y * size + v + 0.7 * first, smooth)
    value = np.clip((field - 0.2) * 1.35 + (second - 0.5) * 0.35, 0, 1)
    relief = np.gradient(field, axis=1) * canvas.unit * 0.05 - np.gradient(field, axis=0) * canvas.unit * 0.07
    planes = ramp(colours, [0.0, 0.28, 0.52, 0.78, 1.0], value)
    for k in range(3):
        canvas.rgb[k] = canvas.soft(np.clip(planes[k] * (1 + np.clip(relief, -0.5, 0.6)), 0, 1))


def _paper(canvas: Canvas, rng: np.random.Generator, colours: list[Array], at_s: float) -> None:
    """Sheets of cut paper, one over the other, each with its shadow."""
    sheets = 8
    sun_x, sun_y, offset = rng.random(), 0.16 + 0.2 * rng.random(), rng.random() * 900
    sky = ramp([colours[4], colours[3]], [0, 1], np.linspace(0, 1, canvas.height, dtype=np.float32))
    canvas.rgb[:] = sky[:, :, None]
    _disc(canvas, (0.25 + 0.5 * sun_x, sun_y), 0.13 + 0.05 * rng.random(), mix(colours[4], rgb("#ffffff"), 0.5))
    for sheet in range(sheets):
        near = sheet / (sheets - 1)
        tone = ramp(colours[::-1], [0.0, 0.3, 0.55, 0.8, 1.0], np.array([0.2 + 0.8 * near]))[:, 0]
        wave = noise.line(canvas.x * (0.8 + 0.5 * rng.random()), offset + 31 * sheet + 0.05 * at_s * (1 + near), 2, 0.3)
        edge = canvas.height * (0.28 + 0.66 * near) - wave * canvas.unit * (0.10 - 0.03 * near)
        lifted = canvas.rows - edge
        shadow = smoothstep(-0.045, 0.0, lifted / canvas.unit) * 0.38
        canvas.blend(shadow, mix(colours[0], rgb("#000000"), 0.4))
        shade = 1 - 0.16 * np.clip(lifted / canvas.unit * 3, 0, 1)
        top = max(0, int(edge.min()) - 1)
        canvas.blend(canvas.mask_below(edge, top), tone[:, None, None] * shade[None, top:], top)


def _disc(canvas: Canvas, centre: tuple[float, float], radius: float, colour: Array, strength: float = 1.0) -> None:
    across = canvas.x - (centre[0] - 0.5) * canvas.width / canvas.unit
    down = canvas.rows / canvas.unit - centre[1] * canvas.height / canvas.unit
    mask = np.clip((radius - np.hypot(across, down)) * canvas.unit + 0.5, 0, 1) * strength
    canvas.blend(mask, colour)


def _discs(canvas: Canvas, rng: np.random.Generator, colours: list[Array], at_s: float) -> None:
    """Overlapping discs and half discs on paper, like a poster of the twenties."""
    paper = mix(colours[4], rgb("#f3ead8"), 0.5)
    canvas.rgb[:] = paper[:, None, None]
    across = canvas.x
    down = canvas.rows / canvas.unit - canvas.height / canvas.unit / 2
    wide, high = canvas.width / canvas.unit, canvas.height / canvas.unit
    for at, draw in enumerate(rng.random((13, 7))):
        turn = 0.5 * at_s * (0.4 + draw[5]) * (1 if at % 2 else -1)
        cx = (draw[0] - 0.5) * wide + 0.03 * np.sin(turn)
        cy = (draw[1] - 0.5) * high + 0.03 * (np.cos(turn) - 1)
        radius = (0.36 if at < 3 else 0.16) * (0.45 + 0.75 * draw[2])
        far = np.hypot(across - cx, down - cy)
        mask = np.clip((radius - far) * canvas.unit + 0.5, 0, 1)
        if draw[3] < 0.35:
            angle = np.floor(draw[4] * 8) * np.pi / 4 + turn
            mask = mask * np.clip(
                ((across - cx) * np.cos(angle) + (down - cy) * np.sin(angle)) * canvas.unit + 0.5, 0, 1
            )
        elif draw[3] < 0.6:
            beat = np.sin(far / radius * np.pi * 9)
            mask = mask * np.clip(beat * radius * canvas.unit / 14 + 0.5, 0, 1)
        toned = colours[int(draw[5] * 4)]
        canvas.blend(np.asarray(mask * (0.72 + 0.28 * draw[6])), toned)


def _silk(canvas: Canvas, rng: np.random.Generator, colours: list[Array], at_s: float) -> None:
    """Ribbons of light flowing across the dark."""
    deep = mix(colours[0], rgb("#05060c"), 0.45)
    glow = mix(colours[1], deep, 0.35)
    y = np.linspace(0, 1, canvas.height, dtype=np.float32)[:, None]
    canvas.rgb[:] = (deep[:, None, None] + (glow - deep)[:, None, None] * (0.3 + 0.7 * y)[None]) * np.ones(
        (1, 1, canvas.width)
    )
    x, down = _grid(canvas)
    slant, offset = (rng.random() - 0.5) * 1.2, rng.random() * 900
    for ribbon, draw in enumerate(rng.random((9, 5))):
        path = (
            slant * x[0]
            + (draw[0] - 0.5) * 1.0
            + 0.30 * noise.line(x[0] * (0.5 + 0.5 * draw[1]), offset + 5 * ribbon + 0.07 * at_s, 2, 0.3)
        )
        width = 0.02 + 0.14 * np.abs(noise.line(x[0] * 0.7, offset + 77 * ribbon, 2)) + 0.03 * draw[2]
        aside = (down - path) / width
        body = np.exp(-np.clip(aside, 0, None) * 2.2) * smoothstep(-0.06, 0.06, aside)
        threads = 0.72 + 0.28 * np.sin(aside * 22 + 9 * draw[3] + 0.5 * at_s)
        light = canvas.soft(np.clip(body * threads * (0.55 + 0.4 * draw[4]), 0, 1))
        canvas.shine(np.clip(light, 0, 1), colours[1 + ribbon % 4])
