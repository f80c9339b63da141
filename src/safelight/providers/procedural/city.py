"""Cities: blocks behind blocks, windows lit as the light goes, signs in neon, and a wet street to mirror them."""

from __future__ import annotations

import numpy as np
from PIL import Image

from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, mix, rgb
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.shapes import Silhouette

WALL = rgb("#8a8f9c")
WINDOWS = {True: ("#ff4fb0", "#35e0ff", "#ffd27a", "#a06bff"), False: ("#ffd890", "#ffe9bd", "#ffc069", "#d9ecff")}
SIGNS = ("#ff2e97", "#19d3ff", "#ffb02e", "#8d4dff", "#2effa0")


def paint_skyline(canvas: Canvas, scene: Scene) -> None:
    """Four rows of towers, the tallest toward the middle of the picture."""
    rng = scene.rng("skyline")
    for row in range(4):
        near = row / 3
        base = scene.horizon + 0.01
        tall = (0.36 + 0.16 * rng.random()) * (1.05 - 0.35 * near) + 0.08
        _row(canvas, scene, rng, near, base, tall)


def _row(canvas: Canvas, scene: Scene, rng: np.random.Generator, near: float, base: float, tall: float) -> None:
    distance = (1 - near) ** 1.2
    body = scene.palette.lit(mix(WALL, rgb("#39405a"), near), 0.25 + 0.2 * distance, distance * 0.9)
    side = scene.palette.lit(mix(WALL, rgb("#2a3048"), near), 0.0, distance * 0.9)
    picture, shade, lights = (Silhouette(canvas, canvas.height * 0.02, canvas.height * base) for _ in range(3))
    signs: list[tuple[float, float, float, float, str]] = []
    numbers = rng.random((64, 10))
    at = -1.15
    for draw in numbers:
        wide = (0.045 + 0.085 * draw[0]) * (0.8 + 0.8 * near)
        middle = at + wide / 2
        crown = np.exp(-((middle + 0.25 * (scene.sun_x - 0.5)) ** 2) / 0.30)
        high = tall * (0.35 + 0.65 * draw[1]) * (0.55 + 0.6 * crown)
        _tower(canvas, scene, (picture, shade, lights), signs, (at, wide, high), base, near, draw)
        at += wide * (1.0 + 0.25 * draw[2] * (1 - near))
    canvas.blend(picture.mask(), body, picture.top)
    canvas.blend(shade.mask() * 0.8, side, shade.top)
    _light_windows(canvas, scene, rng, lights, near)
    if near > 0.3:
        _hang_signs(canvas, scene, signs)


def _tower(canvas: Canvas, scene: Scene, pictures: tuple[Silhouette, Silhouette, Silhouette],
           signs: list[tuple[float, float, float, float, str]], box: tuple[float, float, float], base: float, near: float, draw: Array) -> None:  # fmt: skip
    picture, shade, lights = pictures
    unit = canvas.unit
    left, wide, high = canvas.width / 2 + box[0] * unit, box[1] * unit, box[2] * unit
    foot = base * canvas.height
    top = foot - high
    picture.box(left, top, left + wide, foot + 2)
    if draw[3] < 0.3:
        step = wide * 0.22
        picture.box(left + step, top - high * 0.09, left + wide - step, top)
        picture.line([(left + wide / 2, top - high * 0.09), (left + wide / 2, top - high * 0.26)], unit * 0.003)
    elif draw[3] < 0.45:
        picture.polygon([(left, top), (left + wide * 0.5, top - high * 0.14), (left + wide, top)])
    elif draw[3] < 0.55:
        picture.polygon([(left, top), (left + wide, top - wide * 0.5), (left + wide, top)])
    shaded = wide * (0.28 + 0.2 * draw[4])
    if scene.sun_x > 0.5:
        shade.box(left, top, left + shaded, foot + 2)
    else:
        shade.box(left + wide - shaded, top, left + wide, foot + 2)
    _windows(lights, (left, top, wide, foot), unit * (0.0065 + 0.0065 * near), draw, _share_lit(scene))
    if draw[5] < 0.42 and scene.neon:
        sign_x = left + wide * (0.1 + 0.5 * draw[6])
        signs.append(
            (
                sign_x,
                top + high * (0.12 + 0.25 * draw[7]),
                unit * (0.016 + 0.014 * draw[8]),
                high * (0.16 + 0.26 * draw[9]),
                SIGNS[int(draw[6] * 977) % 5],
            )
        )


def _share_lit(scene: Scene) -> float:
    shares = {"night": 0.42, "dusk": 0.34, "sunset": 0.16, "dawn": 0.12}
    return 0.5 if scene.neon else shares.get(scene.time, 0.3 if scene.weather in ("storm", "rain") else 0.0)


def _windows(
    lights: Silhouette, tower: tuple[float, float, float, float], pane: float, draw: Array, share: float
) -> None:
    """A grid of panes, lit by a pattern that repeats nowhere in view."""
    left, top, wide, foot = tower
    columns, rows = int(wide / (pane * 1.9)), int((foot - top) / (pane * 2.1))
    if columns < 2 or share <= 0:
        return
    pattern = np.random.default_rng(int(draw[9] * 1e9)).random((70, 30))
    inset = (wide - columns * pane * 1.9 + pane * 0.9) / 2
    for row in range(min(rows, 70)):
        y = top + pane * (1.4 + row * 2.1)
        for column in range(min(columns, 30)):
            if pattern[row, column] < share:
                x = left + inset + column * pane * 1.9
                lights.box(x, y, x + pane, y + pane * 1.15, int(120 + 135 * pattern[row, column] / share))


def _light_windows(canvas: Canvas, scene: Scene, rng: np.random.Generator, lights: Silhouette, near: float) -> None:
    colours = [rgb(text) for text in WINDOWS[scene.neon]]
    strip = np.stack([colours[int(pick * 4)] for pick in rng.random(40)])
    planes = np.repeat(strip, 8, axis=0).T[:, None, :]
    wide = [
        np.asarray(Image.fromarray(np.ascontiguousarray(p)).resize((canvas.width, 1), Image.Resampling.NEAREST))
        for p in planes
    ]
    colour = np.stack(wide).astype(np.float32)
    canvas.blend(lights.mask() * (0.45 + 0.5 * near), colour, lights.top)


def _hang_signs(canvas: Canvas, scene: Scene, signs: list[tuple[float, float, float, float, str]]) -> None:
    for x, y, wide, high, tone in signs:
        glow_sign(canvas, x, y, wide, high, rgb(tone))


def glow_sign(canvas: Canvas, x: float, y: float, wide: float, high: float, colour: Array) -> None:
    """A bright plate with its halo."""
    reach = wide * 3.5
    left, top = int(x - reach), int(y - reach)
    columns = np.arange(left, int(x + wide + reach), dtype=np.float32)[None, :] + 0.5
    rows = np.arange(top, int(y + high + reach), dtype=np.float32)[:, None] + 0.5
    outside_x = np.maximum(np.maximum(x - columns, columns - x - wide), 0)
    outside_y = np.maximum(np.maximum(y - rows, rows - y - high), 0)
    far = np.hypot(outside_x, outside_y) / wide
    canvas.shine(np.asarray(0.55 * np.exp(-far * 1.3) * np.clip(1.15 - far / 3.4, 0, 1), np.float32), colour, top, left)
    plate = np.clip(1 - far * wide, 0, 1) * (0.72 + 0.28 * (np.sin((rows - y) / wide * 3.2) > -0.2))
    canvas.blend(np.asarray(plate, np.float32), mix(colour, rgb("#ffffff"), 0.35), top, left)
