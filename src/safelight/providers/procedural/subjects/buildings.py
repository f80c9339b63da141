"""Lighthouse, house, windmill, tent."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural.colour import mix, rgb
from safelight.providers.procedural.figure import Figure, darker
from safelight.providers.procedural.subjects.look import LAMP, Look

# A drawing: its points stay in rows.
# fmt: off


def lighthouse(figure: Figure, look: Look) -> None:
    """A striped tower on rocks, its beam sweeping when it is not day."""
    band = look.colour_or("#c8362e", "#c8362e", "#27507f")
    rock = rgb("#5f5c62")
    figure.shape([(-0.5, -0.12), (-0.42, 0.0), (-0.30, 0.045), (-0.18, 0.11), (0.02, 0.125), (0.2, 0.10), (0.33, 0.03),
                  (0.44, 0.02), (0.56, -0.12)], rock)
    figure.shape([(0.0, -0.12), (0.05, 0.12), (0.2, 0.10), (0.26, 0.0), (0.18, -0.12)], darker(rock, 0.3))
    figure.shape([(-0.36, -0.12), (-0.26, 0.05), (-0.18, 0.1), (-0.2, -0.02), (-0.16, -0.12)], darker(rock, 0.25))
    _cottage(figure, look)
    low, high = 0.11, 0.80
    tower = [(-0.105, low), (0.105, low), (0.062, high), (-0.062, high)]
    figure.shape(tower, "#f2ece0")
    with figure.within(tower):
        for at in range(3):
            bottom = low + 0.10 + at * 0.225
            figure.box(-0.2, bottom, 0.2, bottom + 0.115, band)
        figure.shape([(0.028, low), (0.2, low), (0.2, high), (0.018, high)], darker("#cfc6ba", 0.45) * 0.9)
        for at in range(3):
            bottom = low + 0.10 + at * 0.225
            figure.shape([(0.027, bottom), (0.2, bottom), (0.2, bottom + 0.115), (0.024, bottom + 0.115)],
                         darker(band, 0.4))
    for y in (0.27, 0.50, 0.70):
        figure.box(-0.03, y, -0.006, y + 0.035, "#33303a")
    figure.box(-0.095, high, 0.095, high + 0.02, "#2d2b33")
    for x in np.linspace(-0.09, 0.09, 7):
        figure.stroke([(x, high + 0.02), (x, high + 0.055)], 0.005, "#2d2b33", smooth=False)
    figure.stroke([(-0.092, high + 0.056), (0.092, high + 0.056)], 0.006, "#2d2b33", smooth=False)
    figure.box(-0.048, high + 0.02, 0.048, high + 0.105, "#54626c")
    with figure.shining():
        figure.box(-0.03, high + 0.03, 0.03, high + 0.098, "#fff0b8")
    figure.shape([(-0.062, high + 0.105), (0.062, high + 0.105), (0.035, high + 0.15), (0.0, high + 0.175),
                  (-0.035, high + 0.15)], band)
    figure.oval(0, high + 0.185, 0.011, 0.011, "#2d2b33")


def _cottage(figure: Figure, look: Look) -> None:
    figure.box(0.10, 0.06, 0.34, 0.185, "#e9e0d0")
    figure.box(0.26, 0.06, 0.34, 0.185, darker("#e9e0d0", 0.25))
    figure.shape([(0.085, 0.185), (0.355, 0.185), (0.31, 0.265), (0.13, 0.265)], "#8a4438")
    for x in (0.16, 0.22, 0.29):
        window(figure, look, x, 0.115, 0.016, 0.04)


def window(figure: Figure, look: Look, x: float, y: float, half: float, high: float) -> None:
    """A square pane: dark by day, warm when the light goes."""
    figure.box(x - half, y, x + half, y + high, "#3c4654")
    if look.lamps_lit:
        with figure.shining():
            figure.box(x - half, y, x + half, y + high, LAMP)


def house(figure: Figure, look: Look) -> None:
    """A cabin with a porch, a chimney and smoke."""
    wall = look.colour_or("#a8764e", "#c9b08e", "#8f5a44", "#d8d2c4")
    roof = rgb("#5a3a3c") if not look.scene.snowy else rgb("#eef3f8")
    for at in range(9):
        drift = 0.05 * np.sin(at * 0.9 + look.draws[0] * 6)
        figure.oval(0.24 + drift + at * 0.02, 0.90 + at * 0.045, 0.022 + 0.007 * at, 0.022 + 0.006 * at,
                    mix(rgb("#d8d4d6"), look.scene.palette.haze, 0.1 * at))
    figure.box(0.20, 0.55, 0.29, 0.88, "#7a5a50")
    figure.box(0.255, 0.55, 0.29, 0.88, darker("#7a5a50", 0.3))
    figure.box(-0.44, 0.0, 0.44, 0.40, wall)
    for y in np.arange(0.05, 0.40, 0.05):
        figure.box(-0.44, y, 0.44, y + 0.006, darker(wall, 0.22))
    gable = [(-0.30, 0.40), (0.06, 0.40), (-0.12, 0.68)]
    figure.shape([(-0.52, 0.385), (0.52, 0.385), (0.38, 0.74), (-0.30, 0.74)], roof)
    figure.shape([(0.2, 0.385), (0.52, 0.385), (0.38, 0.74), (0.16, 0.74)], darker(roof, 0.2))
    figure.shape(gable, wall)
    figure.stroke([(-0.34, 0.37), (-0.12, 0.71), (0.10, 0.37)], 0.035, darker(roof, 0.12), smooth=False)
    window(figure, look, -0.12, 0.44, 0.045, 0.09)
    figure.box(-0.05, 0.0, 0.10, 0.29, darker("#5a3424", 0.1))
    figure.oval(0.075, 0.14, 0.009, 0.009, "#e8c05a")
    for x in (-0.27, 0.28):
        figure.box(x - 0.085, 0.125, x + 0.085, 0.295, "#f1e8d8")
        for dx in (-0.035, 0.035):
            window(figure, look, x + dx, 0.135, 0.028, 0.07)
            window(figure, look, x + dx, 0.215, 0.028, 0.07)
    figure.shape([(-0.09, -0.02), (0.14, -0.02), (0.11, 0.0), (-0.06, 0.0)], "#b0a59a")


def windmill(figure: Figure, look: Look) -> None:
    """A tower mill with four sails."""
    wall = look.colour_or("#e6dcc8", "#d6c4a8", "#c9a48a")
    tower = [(-0.19, 0.0), (0.19, 0.0), (0.11, 0.60), (-0.11, 0.60)]
    figure.shape(tower, wall)
    with figure.within(tower):
        figure.shape([(0.05, 0.0), (0.3, 0.0), (0.3, 0.7), (0.03, 0.7)], darker(wall, 0.28))
    figure.shape([(-0.135, 0.59), (0.135, 0.59), (0.11, 0.68), (0.0, 0.75), (-0.11, 0.68)], "#6d4034", smooth=False)
    figure.box(-0.045, 0.0, 0.045, 0.13, "#5a3a2c")
    window(figure, look, 0.0, 0.27, 0.025, 0.055)
    window(figure, look, 0.0, 0.45, 0.022, 0.05)
    angle = np.pi / 2 * look.draws[1]
    for sail in range(4):
        _sail(figure, angle + sail * np.pi / 2)
    figure.oval(0, 0.655, 0.022, 0.022, "#4a2f26")


def _sail(figure: Figure, angle: float) -> None:
    cos, sin = np.cos(angle), np.sin(angle)

    def turned(along: float, aside: float) -> tuple[float, float]:
        return (along * cos - aside * sin, 0.655 + along * sin + aside * cos)

    figure.shape([turned(0.09, 0.0), turned(0.46, 0.0), turned(0.46, 0.085), turned(0.09, 0.085)], "#f4ead6")
    for along in np.linspace(0.09, 0.46, 7):
        figure.stroke([turned(along, 0.0), turned(along, 0.085)], 0.005, "#7a5a44", smooth=False)
    figure.stroke([turned(0.09, 0.045), turned(0.46, 0.045)], 0.004, "#7a5a44", smooth=False)
    figure.stroke([turned(0.0, 0.0), turned(0.48, 0.0)], 0.013, "#5a3a2c", smooth=False)


def tent(figure: Figure, look: Look) -> None:
    """A ridge tent, lit from inside at night, with a fire beside it."""
    cloth = look.colour_or("#e0803a", "#c94f3f", "#3f8a86", "#d9a63a")
    figure.shape([(-0.50, 0.0), (0.22, 0.0), (-0.10, 0.62)], cloth)
    figure.shape([(0.22, 0.0), (0.46, 0.09), (0.08, 0.66), (-0.10, 0.62)], darker(cloth, 0.35))
    opening = [(-0.28, 0.0), (0.04, 0.0), (-0.105, 0.44)]
    figure.shape(opening, darker(cloth, 0.7))
    if look.lamps_lit:
        with figure.shining():
            figure.shape([(-0.49, 0.01), (0.21, 0.01), (-0.10, 0.60)], mix(rgb("#ffb84a"), cloth, 0.4))
            figure.shape(opening, "#ffe2a0")
    figure.shape([(-0.28, 0.0), (-0.17, 0.0), (-0.105, 0.44)], darker(cloth, 0.2))
    figure.stroke([(-0.10, 0.62), (-0.60, -0.02)], 0.006, "#d8cfc0", smooth=False)
    _fire(figure, 0.60, look)


def _fire(figure: Figure, x: float, look: Look) -> None:
    for turn in (-20, 22, 4):
        cos, sin = np.cos(np.deg2rad(turn)) * 0.10, np.sin(np.deg2rad(turn)) * 0.10
        figure.stroke([(x - cos, 0.02 - sin * 0.4), (x + cos, 0.02 + sin * 0.4)], 0.028, "#4a2f24", smooth=False)
    with figure.shining():
        for size, tone in ((1.0, "#f2651f"), (0.7, "#ffa62e"), (0.4, "#fff0a8")):
            sway = 0.03 * (look.draws[3] - 0.5)
            figure.shape([(x - 0.075 * size, 0.04), (x - 0.06 * size, 0.12 * size + 0.02),
                          (x - 0.02, 0.17 * size + 0.02), (x + sway, 0.30 * size + 0.03), (x + sway,
                              0.30 * size + 0.03), (x + 0.035 * size, 0.18 * size + 0.02), (x + 0.075 * size,
                                  0.11 * size + 0.02), (x + 0.07 * size, 0.04)], tone, smooth=True)
