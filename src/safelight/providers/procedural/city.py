"""Cities: blocks behind blocks, windows lit as the light goes, signs in neon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, mix, rgb
from safelight.providers.procedural.materials import WALL
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.shapes import Silhouette

NEAR_WALL, NEAR_SIDE = rgb("#39405a"), rgb("#2a3048")
NEON_WINDOWS, WINDOWS = "#ff4fb0 #35e0ff #ffd27a #a06bff", "#ffd890 #ffe9bd #ffc069 #d9ecff"
SIGNS = "#ff2e97 #19d3ff #ffb02e #8d4dff #2effa0"
SHARES_LIT = {"night": 0.42, "dusk": 0.34, "sunset": 0.16, "dawn": 0.12}
WIDEST, ROWS = 9.0, 4
"""Units that a row of towers spans, enough for the widest picture."""


@dataclass(frozen=True)
class Tower:
    """One tower in pixels, and the numbers that vary it."""

    left: float
    top: float
    wide: float
    foot: float
    draws: Array

    @property
    def high(self) -> float:
        return self.foot - self.top


def paint_skyline(canvas: Canvas, scene: Scene) -> None:
    """Rows of towers, the tallest toward the middle of the picture."""
    rng = scene.rng("skyline")
    for row in range(ROWS):
        near = row / (ROWS - 1)
        tall = (0.36 + 0.16 * rng.random()) * (1.05 - 0.35 * near) + 0.08
        towers = _towers(canvas, scene, rng, near, tall)
        _paint_walls(canvas, scene, towers, near)
        _light_windows(canvas, scene, towers, near)
        if near > 0.3 and scene.neon:
            for tower in towers:
                _hang_sign(canvas, tower)


def _towers(canvas: Canvas, scene: Scene, rng: np.random.Generator, near: float, tall: float) -> list[Tower]:
    """Those of one row that can be seen."""
    foot, at, seen = (scene.horizon + 0.01) * canvas.height, -WIDEST / 2, []
    for draws in rng.random((190, 10)):
        wide = (0.045 + 0.085 * draws[0]) * (0.8 + 0.8 * near)
        crown = np.exp(-((at + wide / 2 + 0.25 * (scene.sun_x - 0.5)) ** 2) / 0.30)
        high = tall * (0.35 + 0.65 * draws[1]) * (0.55 + 0.6 * crown) * canvas.unit
        left = canvas.width / 2 + at * canvas.unit
        if -wide * canvas.unit < left < canvas.width:
            seen.append(Tower(left, foot - high, wide * canvas.unit, foot, draws))
        at += wide * (1.0 + 0.25 * draws[2] * (1 - near))
    return seen


def _paint_walls(canvas: Canvas, scene: Scene, towers: list[Tower], near: float) -> None:
    distance = (1 - near) ** 1.2
    body, side = (Silhouette(canvas, canvas.height * 0.02, canvas.height * scene.horizon + 4) for _ in range(2))
    for tower in towers:
        _outline(body, canvas, tower)
        shaded = tower.wide * (0.28 + 0.2 * tower.draws[4])
        left = tower.left if scene.sun_x > 0.5 else tower.left + tower.wide - shaded
        side.box(left, tower.top, left + shaded, tower.foot + 2)
    canvas.blend(
        body.mask(), scene.palette.lit(mix(WALL, NEAR_WALL, near), 0.25 + 0.2 * distance, distance * 0.9), body.top
    )
    canvas.blend(side.mask() * 0.8, scene.palette.lit(mix(WALL, NEAR_SIDE, near), 0.0, distance * 0.9), side.top)


def _outline(picture: Silhouette, canvas: Canvas, tower: Tower) -> None:
    """The tower and what crowns it: a stepped top with a mast, a gable, a slant, or nothing."""
    left, top, right, middle = tower.left, tower.top, tower.left + tower.wide, tower.left + tower.wide / 2
    picture.box(left, top, right, tower.foot + 2)
    crown = tower.draws[3]
    if crown < 0.3:
        step, roof = tower.wide * 0.22, top - tower.high * 0.09
        picture.box(left + step, roof, right - step, top)
        picture.line([(middle, roof), (middle, top - tower.high * 0.26)], canvas.unit * 0.003)
    elif crown < 0.45:
        picture.polygon([(left, top), (middle, top - tower.high * 0.14), (right, top)])
    elif crown < 0.55:
        picture.polygon([(left, top), (right, top - tower.wide * 0.5), (right, top)])


def _light_windows(canvas: Canvas, scene: Scene, towers: list[Tower], near: float) -> None:
    """Some panes lit when the light goes; by day all of them mirror the sky."""
    gloomy = 0.3 if scene.weather in ("storm", "rain") else 0.0
    share = 0.5 if scene.neon else SHARES_LIT.get(scene.time, gloomy)
    if share == 0:
        colours, share, strength = scene.palette.sky[2][None, :], 1.0, 0.28
    else:
        colours = np.stack([rgb(text) for text in (NEON_WINDOWS if scene.neon else WINDOWS).split()])
        strength = 0.45 + 0.5 * near
    panes = Silhouette(canvas, canvas.height * 0.02, canvas.height * scene.horizon + 4)
    tones = Image.new("RGB", (canvas.width, panes.high))
    for tower in towers:
        _windows(panes, tones, tower, canvas.unit * (0.013 + 0.012 * near), share, colours)
    canvas.blend(panes.mask() * strength, np.asarray(tones, np.float32).transpose(2, 0, 1) / 255, panes.top)


def _windows(panes: Silhouette, tones: Image.Image, tower: Tower, cell: float, share: float, colours: Array) -> None:
    """A grid of panes, a share of them showing; each cell is half wall, half pane, and has a colour of its own."""
    columns, rows = min(40, int(tower.wide / cell - 0.5)), min(90, int(tower.high / cell - 0.8))
    if columns < 1 or rows < 1:
        return
    pattern = np.random.default_rng(int(tower.draws[9] * 1e9)).random((2, 90, 40))[:, :rows, :columns]
    shown = np.where(pattern[0] < share, 120 + 135 * pattern[0] / share, 0).astype(np.uint8)
    left, top = tower.left + (tower.wide - columns * cell) / 2 - cell / 4, tower.top + cell * 0.6
    panes.stamp(np.kron(shown, np.array([[0, 0], [0, 1]], np.uint8)), left, top, columns * cell, rows * cell)
    picked = (colours[(pattern[1] * len(colours)).astype(int)] * 255).astype(np.uint8)
    size = (max(1, round(columns * cell) + 1), max(1, round(rows * cell) + 1))
    tones.paste(Image.fromarray(picked).resize(size, Image.Resampling.NEAREST), (round(left), round(top) - panes.top))


def _hang_sign(canvas: Canvas, tower: Tower) -> None:
    """A bright plate with its halo, on some towers."""
    if tower.draws[5] >= 0.42:
        return
    draws = tower.draws
    x, y = tower.left + tower.wide * (0.1 + 0.5 * draws[6]), tower.top + tower.high * (0.12 + 0.25 * draws[7])
    wide, high = canvas.unit * (0.016 + 0.014 * draws[8]), tower.high * (0.16 + 0.26 * draws[9])
    colour = rgb(SIGNS.split()[int(draws[6] * 977) % 5])
    reach = wide * 3.5
    left, top = int(x - reach), int(y - reach)
    columns = np.arange(left, int(x + wide + reach), dtype=np.float32)[None, :] + 0.5
    rows = np.arange(top, int(y + high + reach), dtype=np.float32)[:, None] + 0.5
    outside_x = np.maximum(np.maximum(x - columns, columns - x - wide), 0)
    outside_y = np.maximum(np.maximum(y - rows, rows - y - high), 0)
    far = np.hypot(outside_x, outside_y) / wide
    canvas.shine(0.55 * np.exp(-far * 1.3) * np.clip(1.15 - far / 3.4, 0, 1), colour, top, left)
    bars = 0.72 + 0.28 * (np.sin((rows - y) / wide * 3.2) > -0.2)
    canvas.blend(np.clip(1 - far * wide, 0, 1) * bars, mix(colour, rgb("#ffffff"), 0.35), top, left)
