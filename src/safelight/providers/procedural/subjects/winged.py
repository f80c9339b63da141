"""Owl, birds, butterfly, dragon."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from safelight.providers.procedural.colour import Array, mix, rgb
from safelight.providers.procedural.figure import Figure, Point, curve, darker, lighter
from safelight.providers.procedural.subjects.look import Look

# A drawing: its points stay in rows.
# fmt: off


def owl(figure: Figure, look: Look) -> None:
    """An owl on a branch, facing the viewer."""
    plume = look.colour_or("#8a6a4a", "#7a6f68", "#a8845a", "#e9e4dc")
    figure.stroke([(-0.66, 0.075), (-0.2, 0.045), (0.25, 0.06), (0.68, 0.02)], 0.055, "#4a382e")
    figure.stroke([(0.35, 0.05), (0.52, 0.16), (0.60, 0.26)], 0.026, "#4a382e")
    figure.shape([(-0.09, 0.2), (-0.07, -0.09), (0.07, -0.09), (0.09, 0.2)], darker(plume, 0.3))
    body: list[Point] = [(-0.22, 0.30), (-0.17, 0.10), (0.0, 0.04), (0.17, 0.10), (0.22, 0.30), (0.21, 0.55),
                         (0.19, 0.70), (0.0, 0.74), (-0.19, 0.70), (-0.21, 0.55)]
    figure.shape(body, plume, smooth=True)
    belly: list[Point] = [(0.0, 0.56), (-0.12, 0.46), (-0.135, 0.25), (-0.07, 0.10), (0.0, 0.075), (0.07, 0.10),
                          (0.135, 0.25), (0.12, 0.46)]
    figure.shape(belly, lighter(plume, 0.5), smooth=True)
    with figure.within(belly, smooth=True):
        for row in range(7):
            for column in range(-3, 4):
                x, y = column * 0.048 + 0.024 * (row % 2), 0.12 + 0.06 * row
                figure.stroke([(x - 0.015, y + 0.012), (x, y), (x + 0.015, y + 0.012)], 0.008, darker(plume, 0.1))
    for side in (-1, 1):
        wing: list[Point] = [(side * 0.17, 0.58), (side * 0.25, 0.42), (side * 0.235, 0.20), (side * 0.13, 0.05),
                             (side * 0.13, 0.05), (side * 0.135, 0.30)]
        figure.shape(wing, darker(plume, 0.22 if side < 0 else 0.36), smooth=True)
    head: list[Point] = [(0.0, 0.86), (-0.12, 0.875), (-0.215, 0.97), (-0.215, 0.97), (-0.235, 0.80), (-0.21, 0.66),
                         (0.0, 0.575), (0.21, 0.66), (0.235, 0.80), (0.215, 0.97), (0.215, 0.97), (0.12, 0.875)]
    figure.shape(head, plume, smooth=True)
    for side in (-1, 1):
        figure.oval(side * 0.10, 0.745, 0.118, 0.118, lighter(plume, 0.42))
        figure.oval(side * 0.10, 0.745, 0.078, 0.078, "#1b1518")
        figure.oval(side * 0.10, 0.745, 0.068, 0.068, "#f2a92a")
        figure.oval(side * 0.10, 0.745, 0.038, 0.038, "#100c0e")
        figure.oval(side * 0.10 - 0.02, 0.768, 0.014, 0.014, "#ffffff")
        for toe in (-0.03, 0.0, 0.03):
            figure.stroke([(side * 0.075 + toe, 0.085), (side * 0.075 + toe, 0.035)], 0.024, "#d8a03a", smooth=False)
    figure.shape([(-0.030, 0.72), (0.030, 0.72), (0.0, 0.635)], "#d8a03a")


def birds(figure: Figure, look: Look) -> None:
    """A flock on the wing, one large bird before it."""
    tone = look.colour_or("#2c3040", "#3a3440", "#f0ece4")
    rng = look.scene.rng("flock")
    for x, y, size, beat in rng.random((13, 4)):
        _flying(figure, (x - 0.5) * 1.5, 0.18 + 0.8 * y, 0.055 + 0.05 * size, 0.2 + 0.7 * beat, tone)
    _flying(figure, -0.05, 0.42, 0.36, 0.35 + 0.5 * float(look.draws[0]), tone)


def _flying(figure: Figure, x: float, y: float, span: float, lift: float, tone: Array) -> None:
    for side in (-1, 1):
        wing: list[Point] = [(x, y + 0.03 * span), (x + side * 0.38 * span, y + lift * 0.62 * span),
                             (x + side * span, y + lift * 0.30 * span), (x + side * span,
                                 y + lift * 0.30 * span), (x + side * 0.5 * span,
                                                           y + lift * 0.38 * span), (x + side * 0.12 * span,
                                                               y - 0.10 * span)]
        figure.shape(wing, tone if side < 0 else darker(tone, 0.2), smooth=True)
    figure.oval(x, y, 0.10 * span, 0.16 * span, darker(tone, 0.1), -25)
    figure.shape([(x + 0.06 * span, y + 0.10 * span), (x + 0.20 * span, y + 0.16 * span),
                  (x + 0.10 * span, y + 0.19 * span)], darker(tone, 0.1))
    figure.shape([(x - 0.05 * span, y - 0.10 * span), (x - 0.20 * span, y - 0.22 * span),
                  (x - 0.05 * span, y - 0.24 * span)], darker(tone, 0.15))


def butterfly(figure: Figure, look: Look) -> None:
    """Open wings, patterned alike on both sides."""
    tone = look.colour_or("#ef8a2a", "#3f7fd0", "#8a4fc0", "#e0b02e")
    edge = darker(tone, 0.8)
    for side in (-1, 1):
        upper: list[Point] = [(side * 0.02, 0.52), (side * 0.16, 0.80), (side * 0.40, 0.97), (side * 0.54, 0.90),
                              (side * 0.52, 0.68), (side * 0.38, 0.50), (side * 0.12, 0.46)]
        lower: list[Point] = [(side * 0.02, 0.48), (side * 0.20, 0.46), (side * 0.40, 0.40), (side * 0.42, 0.22),
                              (side * 0.28, 0.06), (side * 0.16, 0.12), (side * 0.06, 0.32)]
        for wing, shade in ((lower, 0.16), (upper, 0.0)):
            figure.shape(wing, edge, smooth=True)
            middle = np.mean(np.asarray(wing), axis=0)
            inner = [(float(middle[0] + (x - middle[0]) * 0.84), float(middle[1] + (y - middle[1]) * 0.84)) for x,
                     y in wing]
            figure.shape(inner, darker(tone, shade), smooth=True)
            with figure.within(inner, smooth=True):
                figure.oval(side * 0.05, 0.49, 0.20, 0.17, lighter(tone, 0.35))
                for tip_x, tip_y in ((0.5, 0.95), (0.55, 0.75), (0.45, 0.52), (0.42, 0.3), (0.26, 0.05)):
                    figure.stroke([(side * 0.03, 0.49), (side * tip_x, tip_y)], 0.010, edge, smooth=False)
        for x, y in ((0.40, 0.925), (0.47, 0.90), (0.505, 0.84), (0.505, 0.76), (0.40, 0.30), (0.375, 0.20),
                     (0.31, 0.12)):
            figure.oval(side * x, y, 0.014, 0.014, "#fbf4e4")
        figure.stroke([(0.0, 0.70), (side * 0.05, 0.84), (side * 0.11, 0.90)], 0.008, "#1c1618")
        figure.oval(side * 0.112, 0.905, 0.012, 0.012, "#1c1618")
    figure.shape([(0.0, 0.74), (-0.024, 0.66), (-0.026, 0.48), (0.0, 0.22), (0.026, 0.48), (0.024, 0.66)], "#241c1e",
                 smooth=True)


def dragon(figure: Figure, look: Look) -> None:
    """A winged dragon in flight."""
    scale = look.colour_or("#a8322c", "#3f7a4a", "#3a3f58", "#6a3f86")
    membrane = mix(scale, rgb("#e8a05a"), 0.4)
    _dragon_wing(figure, darker(membrane, 0.4), scale, 0.10, 0.86)
    spine = curve([(-0.66, 0.22), (-0.50, 0.16), (-0.34, 0.26), (-0.16, 0.40), (0.06, 0.44), (0.24, 0.46),
                   (0.36, 0.58), (0.44, 0.70)], closed=False, steps=10)
    width = np.interp(np.linspace(0, 1, len(spine)), [0, 0.25, 0.5, 0.68, 0.85, 1.0],
                      [0.012, 0.045, 0.14, 0.13, 0.075, 0.07])
    for (x, y), wide in zip(spine, width, strict=True):
        figure.oval(x, y, wide / 2, wide / 2, scale)
    for (x, y), wide in list(zip(spine, width, strict=True))[::3]:
        figure.shape([(x - 0.018, y + wide * 0.42), (x + 0.018, y + wide * 0.42), (x - 0.012, y + wide * 0.42 + 0.04)],
                     darker(scale, 0.4))
        figure.oval(x + 0.006, y - wide * 0.26, wide * 0.30, wide * 0.2, lighter(scale, 0.3))
    figure.shape([(-0.66, 0.22), (-0.74, 0.30), (-0.72, 0.20), (-0.76, 0.12)], darker(scale, 0.3))
    for x in (-0.06, 0.16):
        figure.stroke([(x, 0.38), (x - 0.07, 0.28), (x + 0.0, 0.22)], 0.034, darker(scale, 0.2))
    head: list[Point] = [(0.40, 0.72), (0.45, 0.79), (0.53, 0.775), (0.64, 0.715), (0.655, 0.68), (0.56, 0.67),
                         (0.47, 0.645)]
    figure.shape(head, scale, smooth=True)
    figure.shape([(0.50, 0.665), (0.63, 0.65), (0.61, 0.62), (0.48, 0.635)], darker(scale, 0.25))
    for dx in (0.0, 0.045):
        figure.shape([(0.44 + dx, 0.77), (0.475 + dx, 0.78), (0.36 + dx, 0.87)], "#e6d9b8")
    with figure.shining():
        figure.oval(0.535, 0.735, 0.013, 0.010, "#ffd24a")
        if look.draws[0] < 0.75:
            for size, tone in ((1.0, "#ff6a1f"), (0.65, "#ffae2e"), (0.35, "#fff2b0")):
                figure.shape([(0.65, 0.655), (0.65 + 0.14 * size, 0.69), (0.65 + 0.30 * size, 0.64),
                              (0.65 + 0.15 * size, 0.60)], tone, smooth=True)
    _dragon_wing(figure, membrane, scale, 0.0, 1.0)


def _dragon_wing(figure: Figure, membrane: Array, scale: Array, shift: float, size: float) -> None:
    root = (0.04 + shift, 0.48)
    tips = [(-0.02 + shift, 1.08 * size), (-0.34 + shift, 0.98 * size), (-0.52 + shift, 0.74 * size),
            (-0.46 + shift, 0.52)]
    outline: list[Point] = [root, (0.14 + shift, 0.80 * size), tips[0]]
    for one, other in pairwise(tips):
        outline += [((one[0] + other[0]) / 2 + 0.075, (one[1] + other[1]) / 2 - 0.05), other]
    figure.shape([*outline, (-0.18 + shift, 0.47)], membrane)
    for tip in tips:
        figure.stroke([(0.14 + shift, 0.80 * size),
                       ((0.14 + shift + tip[0]) / 2 + 0.02,
                        (0.80 * size + tip[1]) / 2 + 0.03), tip], 0.014, darker(scale, 0.2))
    figure.stroke([root, (0.14 + shift, 0.80 * size)], 0.036, scale, smooth=False)
