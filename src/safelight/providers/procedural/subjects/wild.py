"""Deer, horse, whale."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural.colour import mix, rgb
from safelight.providers.procedural.figure import Figure, Point, darker, lighter
from safelight.providers.procedural.subjects.look import Look

# A drawing: its points stay in rows.
# fmt: off


def deer(figure: Figure, look: Look) -> None:
    """A stag from the side, head turned forward, with branching antlers."""
    fur = look.colour_or("#9a6a42", "#84583a", "#a87848")
    for x, knee, far in ((-0.20, 0.02, True), (0.17, -0.02, True), (-0.25, 0.03, False), (0.12, -0.015, False)):
        tone = darker(fur, 0.45 if far else 0.15)
        figure.stroke([(x, 0.42), (x + knee, 0.21), (x - knee * 0.4, 0.02)], 0.034, tone)
        figure.stroke([(x - knee * 0.4, 0.018), (x - knee * 0.4 + 0.015, 0.012)], 0.03, "#2a201c", smooth=False)
    body: list[Point] = [(-0.34, 0.50), (-0.28, 0.60), (-0.10, 0.575), (0.12, 0.585), (0.20, 0.66), (0.245, 0.77),
                         (0.315, 0.78), (0.30, 0.62), (0.24, 0.46), (0.16, 0.37), (0.0, 0.375), (-0.18, 0.37), (-0.31,
                             0.38)]
    figure.shape(body, fur, smooth=True)
    with figure.within(body, smooth=True):
        figure.shape([(-0.4, 0.42), (-0.1, 0.425), (0.14, 0.41), (0.3, 0.5), (0.3, 0.3), (-0.4, 0.3)],
                     darker(fur, 0.25), smooth=True)
        figure.shape([(0.25, 0.70), (0.32, 0.78), (0.32, 0.5), (0.22, 0.42), (0.24, 0.56)], lighter(fur, 0.38),
                     smooth=True)
    figure.shape([(-0.33, 0.53), (-0.395, 0.52), (-0.385, 0.44), (-0.335, 0.47)], lighter(fur, 0.55), smooth=True)
    figure.shape([(0.235, 0.79), (0.16, 0.855), (0.14, 0.84), (0.225, 0.755)], darker(fur, 0.2), smooth=True)
    head: list[Point] = [(0.225, 0.80), (0.27, 0.855), (0.335, 0.845), (0.40, 0.775), (0.432, 0.735), (0.42, 0.70),
                         (0.36, 0.705), (0.29, 0.72)]
    figure.shape(head, lighter(fur, 0.05), smooth=True)
    figure.oval(0.425, 0.722, 0.018, 0.016, "#201a1a")
    figure.oval(0.328, 0.797, 0.013, 0.013, "#17110f")
    for back, horn in ((True, "#8f7a5c"), (False, "#c9b48c")):
        _antler(figure, 0.265 if back else 0.29, 0.85, -0.06 if back else 0.03, horn)


def _antler(figure: Figure, x: float, y: float, lean: float, tone: str) -> None:
    stem: list[Point] = [(x, y), (x - 0.06 + lean, y + 0.09), (x - 0.07 + lean, y + 0.19), (x + 0.01 + lean, y + 0.27)]
    figure.stroke(stem, 0.017, tone)
    figure.stroke([(x - 0.045 + lean, y + 0.065), (x + 0.03 + lean, y + 0.11), (x + 0.06 + lean, y + 0.155)], 0.012,
                  tone)
    figure.stroke([(x - 0.072 + lean, y + 0.14), (x - 0.13 + lean, y + 0.19), (x - 0.13 + lean, y + 0.24)], 0.012, tone)
    figure.stroke([(x - 0.055 + lean, y + 0.215), (x - 0.09 + lean, y + 0.265), (x - 0.075 + lean, y + 0.30)], 0.011,
                  tone)


def horse(figure: Figure, look: Look) -> None:
    """A horse standing, mane in the wind; a unicorn if asked."""
    coat = look.colour_or("#7a4a2c", "#4a3228", "#c9b8a0", "#8f8a88")
    if look.says("unicorn"):
        coat = look.colour if look.colour is not None else rgb("#f3eef0")
    mane = darker(coat, 0.55) if not look.says("unicorn") else rgb("#d98ad0")
    figure.shape([(-0.37, 0.62), (-0.46, 0.58), (-0.50, 0.38), (-0.47, 0.18), (-0.41, 0.30), (-0.35, 0.52)], mane,
                 smooth=True)
    for x, knee, far in ((-0.22, -0.035, True), (0.20, 0.03, True), (-0.30, -0.03, False), (0.13, 0.02, False)):
        tone = darker(coat, 0.38 if far else 0.08)
        figure.shape([(x - 0.055, 0.50), (x + 0.055, 0.50), (x + 0.030 + knee, 0.26), (x + 0.024, 0.05),
                      (x + 0.045, 0.0), (x - 0.035, 0.0), (x - 0.026, 0.06), (x - 0.026 + knee,
                          0.26)], tone, smooth=True)
        figure.box(x - 0.036, -0.004, x + 0.046, 0.03, darker(coat, 0.7))
    body: list[Point] = [(-0.36, 0.60), (-0.24, 0.665), (-0.05, 0.625), (0.12, 0.66), (0.22, 0.78), (0.30, 0.92),
                         (0.37, 0.93), (0.385, 0.80), (0.34, 0.66), (0.285, 0.52), (0.20, 0.41), (0.0, 0.40), (-0.18,
                             0.42), (-0.34, 0.44)]
    figure.shape(body, coat, smooth=True)
    with figure.within(body, smooth=True):
        figure.shape([(-0.4, 0.47), (-0.15, 0.46), (0.1, 0.44), (0.30, 0.56), (0.4, 0.3), (-0.4, 0.3)],
                     darker(coat, 0.22), smooth=True)
    head: list[Point] = [(0.30, 0.93), (0.345, 0.985), (0.41, 0.95), (0.50, 0.82), (0.555, 0.755), (0.54, 0.70),
                         (0.485, 0.695), (0.43, 0.745), (0.36, 0.79)]
    figure.shape(head, coat, smooth=True)
    figure.shape([(0.47, 0.80), (0.555, 0.76), (0.54, 0.70), (0.485, 0.695)], darker(coat, 0.25), smooth=True)
    figure.shape([(0.335, 0.97), (0.345, 1.06), (0.385, 0.975)], darker(coat, 0.12))
    figure.oval(0.415, 0.885, 0.015, 0.016, "#15100f")
    figure.oval(0.525, 0.735, 0.009, 0.011, darker(coat, 0.7))
    flow: list[Point] = [(0.36, 1.0), (0.28, 0.985), (0.21, 0.87), (0.12, 0.70), (0.02, 0.66), (0.10, 0.62),
                         (0.20, 0.66), (0.24, 0.76), (0.30, 0.90)]
    figure.shape(flow, mane, smooth=True)
    if look.says("unicorn"):
        figure.shape([(0.375, 0.965), (0.41, 0.945), (0.50, 1.14)], "#f2cf6a")


def whale(figure: Figure, look: Look) -> None:
    """A whale's tail rising out of the water, drops falling from it."""
    skin = look.colour_or("#33465c", "#2b3a4a")
    stem: list[Point] = [(-0.17, -0.02), (-0.17, -0.02), (-0.09, 0.20), (-0.035, 0.52), (0.035, 0.52), (0.09, 0.20),
                         (0.17, -0.02), (0.17, -0.02)]
    figure.shape(stem, skin, smooth=True)
    figure.shape([(0.02, -0.02), (0.17, -0.02), (0.09, 0.20), (0.035, 0.52), (0.0, 0.5)], darker(skin, 0.3))
    for side in (-1, 1):
        fluke: list[Point] = [(0.0, 0.48), (side * 0.12, 0.64), (side * 0.34, 0.76), (side * 0.56, 0.74),
                              (side * 0.56, 0.74), (side * 0.44, 0.84), (side * 0.20, 0.84), (0.0, 0.73)]
        figure.shape(fluke, skin if side < 0 else darker(skin, 0.18), smooth=True)
        figure.stroke([(side * 0.06, 0.60), (side * 0.24, 0.74), (side * 0.44, 0.77)], 0.012, lighter(skin, 0.3))
    rng = look.scene.rng("spray")
    foam = mix(look.scene.palette.haze, rgb("#ffffff"), 0.7)
    for x, y, size in rng.random((70, 3)):
        figure.oval((x - 0.5) * 1.0, 0.70 * y**1.5, 0.004 + 0.006 * size, 0.006 + 0.010 * size, foam)
    for x in np.linspace(-0.30, 0.30, 15):
        figure.oval(float(x), 0.012 * np.cos(x * 20), 0.055, 0.022, foam)
