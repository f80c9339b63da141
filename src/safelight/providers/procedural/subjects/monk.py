"""The medieval monk."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural.colour import rgb
from safelight.providers.procedural.figure import Figure, Point, darker, lighter
from safelight.providers.procedural.subjects.look import Look

# A drawing: its points stay in rows.
# fmt: off

SKIN = ("#e8b894", "#d8a07a", "#b97f5a", "#8d5a3c", "#f0c8a8")


def monk(figure: Figure, look: Look) -> None:
    """In a hooded habit with a rope belt; a lantern or a book in his hands."""
    habit = look.colour_or("#6b4a33", "#5c4033", "#4c4038", "#7a5a3c")
    fold, light = darker(habit, 0.4), lighter(habit, 0.14)
    robe: list[Point] = [(-0.10, 0.70), (-0.185, 0.64), (-0.215, 0.45), (-0.23, 0.22), (-0.285, 0.0), (-0.285, 0.0),
                         (0.285, 0.0), (0.285, 0.0), (0.23, 0.22), (0.215, 0.45), (0.185, 0.64), (0.10, 0.70)]
    figure.shape(robe, habit, smooth=True)
    with figure.within(robe, smooth=True):
        figure.shape([(0.04, 0.75), (0.4, 0.75), (0.4, -0.1), (0.12, -0.1), (0.10, 0.35)], darker(habit, 0.25),
                     smooth=True)
        for x, wide in ((-0.19, 0.03), (-0.075, 0.026), (0.045, 0.03), (0.15, 0.028)):
            figure.shape([(x * 0.55, 0.40), (x * 1.25 + wide, -0.05), (x * 1.25 - wide, -0.05)], fold)
        figure.shape([(-0.24, 0.62), (-0.20, 0.60), (-0.235, 0.1), (-0.29, 0.0)], light)
    _belt(figure)
    _sleeves(figure, habit)
    if look.draws[2] < 0.6:
        _lantern(figure)
    else:
        _book(figure)
    _head(figure, look, habit)


def _belt(figure: Figure) -> None:
    rope, shade = rgb("#d9c08a"), rgb("#a88a54")
    figure.stroke([(-0.205, 0.405), (0.0, 0.385), (0.205, 0.405)], 0.024, rope)
    for x in np.arange(-0.19, 0.19, 0.024):
        figure.stroke([(x, 0.382), (x + 0.012, 0.408)], 0.005, shade, smooth=False)
    figure.stroke([(0.075, 0.39), (0.085, 0.28), (0.075, 0.14)], 0.018, rope)
    for y in (0.30, 0.24, 0.18):
        figure.oval(0.083, y, 0.016, 0.013, shade)


def _sleeves(figure: Figure, habit: object) -> None:
    tone = np.asarray(habit)
    for side in (-1, 1):
        sleeve: list[Point] = [(side * 0.165, 0.655), (side * 0.235, 0.55), (side * 0.25, 0.44), (side * 0.16, 0.42),
                               (side * 0.045, 0.435), (side * 0.035, 0.515), (side * 0.12, 0.535)]
        figure.shape(sleeve, lighter(tone, 0.05) if side < 0 else darker(tone, 0.2), smooth=True)
        figure.shape([(side * 0.06, 0.43), (side * 0.025, 0.435), (side * 0.018, 0.51), (side * 0.05, 0.52)],
                     darker(tone, 0.6), smooth=True)
        figure.oval(side * 0.017, 0.474, 0.030, 0.026, "#d8a07a")


def _lantern(figure: Figure) -> None:
    figure.stroke([(0.0, 0.47), (0.0, 0.405)], 0.007, "#2a221c", smooth=False)
    figure.box(-0.036, 0.275, 0.036, 0.395, "#2a221c")
    figure.shape([(-0.045, 0.388), (0.045, 0.388), (0.018, 0.42), (-0.018, 0.42)], "#2a221c")
    with figure.shining():
        figure.box(-0.027, 0.287, -0.003, 0.383, "#ffd27a")
        figure.box(0.003, 0.287, 0.027, 0.383, "#ffc45a")
        figure.oval(0, 0.325, 0.014, 0.026, "#fff6d8")


def _book(figure: Figure) -> None:
    figure.shape([(-0.105, 0.455), (0.0, 0.44), (0.105, 0.455), (0.115, 0.57), (0.0, 0.55), (-0.115, 0.57)], "#6d2f2c")
    figure.shape([(-0.096, 0.468), (0.0, 0.45), (0.0, 0.556), (-0.106, 0.574)], "#f1e6cc")
    figure.shape([(0.096, 0.468), (0.0, 0.45), (0.0, 0.556), (0.106, 0.574)], "#ddcfae")
    for side in (-1, 1):
        for y in (0.485, 0.503, 0.521, 0.539):
            figure.stroke([(side * 0.02, y - 0.008), (side * 0.085, y + 0.008)], 0.0035, "#8a7a5c", smooth=False)
        figure.oval(side * 0.10, 0.485, 0.027, 0.024, "#d8a07a")


def _head(figure: Figure, look: Look, habit: object) -> None:
    tone = np.asarray(habit)
    skin = rgb(SKIN[int(look.draws[4] * 4)])
    hood: list[Point] = [(0.0, 0.985), (-0.085, 0.955), (-0.135, 0.86), (-0.135, 0.76), (-0.185, 0.665),
                         (-0.10, 0.625), (0.0, 0.60), (0.10, 0.625), (0.185, 0.665), (0.135, 0.76), (0.135,
                             0.86), (0.085, 0.955)]
    figure.shape(hood, tone, smooth=True)
    with figure.within(hood, smooth=True):
        figure.shape([(0.05, 1.1), (0.3, 1.1), (0.3, 0.55), (0.02, 0.55), (0.11, 0.75)], darker(tone, 0.28),
                     smooth=True)
        figure.shape([(-0.2, 0.70), (-0.1, 0.64), (0.0, 0.62), (0.0, 0.6), (-0.2, 0.6)], darker(tone, 0.25),
                     smooth=True)
        figure.stroke([(-0.12, 0.80), (-0.115, 0.90), (-0.06, 0.965)], 0.012, lighter(tone, 0.18))
    opening: list[Point] = [(0.0, 0.935), (-0.075, 0.90), (-0.10, 0.81), (-0.085, 0.72), (0.0, 0.67), (0.085, 0.72),
                            (0.10, 0.81), (0.075, 0.90)]
    figure.shape(opening, darker(tone, 0.72), smooth=True)
    face: list[Point] = [(0.0, 0.905), (-0.06, 0.88), (-0.075, 0.81), (-0.062, 0.74), (0.0, 0.70), (0.062, 0.74),
                         (0.075, 0.81), (0.06, 0.88)]
    with figure.within(opening, smooth=True):
        figure.shape(face, skin, smooth=True)
        with figure.within(face, smooth=True):
            figure.shape([(0.012, 0.95), (0.2, 0.95), (0.2, 0.6), (0.0, 0.6), (0.022, 0.80)], darker(skin, 0.25))
            figure.shape([(-0.1, 0.95), (0.1, 0.95), (0.1, 0.868), (0.0, 0.885), (-0.1, 0.868)], darker(skin, 0.45))
        if look.draws[5] < 0.7:
            beard = rgb(("#6a4a34", "#8f8a86", "#d8d4cc", "#3a2c26")[int(look.draws[6] * 4)])
            figure.shape([(-0.075, 0.80), (-0.058, 0.762), (0.0, 0.768), (0.058, 0.762), (0.075, 0.80), (0.066, 0.71),
                          (0.0, 0.635), (-0.066, 0.71)], beard, smooth=True)
            figure.shape([(0.0, 0.765), (0.058, 0.762), (0.075, 0.80), (0.066, 0.71), (0.0, 0.635)],
                         darker(beard, 0.25), smooth=True)
    for side in (-1, 1):
        figure.stroke([(side * 0.018, 0.832), (side * 0.032, 0.826), (side * 0.046, 0.832)], 0.0065, "#2a1c18")
        figure.stroke([(side * 0.014, 0.853), (side * 0.034, 0.860), (side * 0.052, 0.850)], 0.009, darker(skin, 0.6))
    figure.stroke([(0.0, 0.845), (0.012, 0.795), (-0.004, 0.789)], 0.008, darker(skin, 0.35))
    figure.stroke([(-0.020, 0.752), (0.0, 0.748), (0.020, 0.753)], 0.007, darker(skin, 0.55))
