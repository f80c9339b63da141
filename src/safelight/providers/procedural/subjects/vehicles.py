"""Car, sailboat, balloon, rocket."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural.colour import Array, mix, rgb
from safelight.providers.procedural.figure import Figure, curve, darker, lighter
from safelight.providers.procedural.subjects.look import Look

# A drawing: its points stay in rows.
# fmt: off


def car(figure: Figure, look: Look) -> None:
    """A low coupé from the side; its length is about 2.6 times its height."""
    paint = look.colour_or("#d8322f", "#e8a21f", "#2f6fd0", "#2a8f86", "#e9e4da", "#7d3fb0")
    body = [(-1.28, 0.22), (-1.28, 0.22), (-1.30, 0.42), (-1.22, 0.52), (-0.80, 0.585), (-0.62, 0.62), (-0.30, 0.90),
            (-0.02, 0.97), (0.32, 0.95), (0.72, 0.70), (1.10, 0.655), (1.26, 0.60), (1.30, 0.42), (1.27, 0.22), (1.27,
                0.22)]
    figure.shape(body, paint, smooth=True)
    with figure.within(body, smooth=True):
        figure.shape([(-1.4, 0.0), (1.4, 0.0), (1.4, 0.36), (0.6, 0.42), (-0.6, 0.40), (-1.4, 0.34)],
                     darker(paint, 0.35))
        figure.shape([(-1.4, 0.0), (1.4, 0.0), (1.4, 0.255), (-1.4, 0.255)], darker(paint, 0.7))
        figure.shape([(-1.25, 0.53), (-0.7, 0.60), (0.5, 0.625), (1.28, 0.60), (1.28, 0.575), (0.5, 0.595),
                      (-0.7, 0.57), (-1.25, 0.50)], lighter(paint, 0.55))
    _glass(figure, paint)
    figure.stroke([(-0.52, 0.60), (-0.50, 0.32), (-0.42, 0.27)], 0.010, darker(paint, 0.55))
    figure.stroke([(0.30, 0.62), (0.33, 0.42), (0.26, 0.29)], 0.010, darker(paint, 0.55))
    figure.stroke([(0.14, 0.56), (0.24, 0.565)], 0.022, lighter(paint, 0.6), smooth=False)
    figure.shape([(-0.60, 0.62), (-0.50, 0.66), (-0.47, 0.60), (-0.56, 0.58)], darker(paint, 0.3))
    for x in (-0.80, 0.80):
        _wheel(figure, x, 0.20)
    figure.shape([(-1.29, 0.44), (-1.10, 0.535), (-1.07, 0.50), (-1.24, 0.42)], "#f4f0e0")
    figure.box(1.22, 0.46, 1.30, 0.56, "#a8201f")
    if look.lamps_lit:
        with figure.shining():
            figure.shape([(-1.29, 0.44), (-1.12, 0.53), (-1.09, 0.50), (-1.24, 0.42)], "#fff3c4")
            figure.box(1.23, 0.47, 1.295, 0.55, "#ff3a2e")


def _glass(figure: Figure, paint: Array) -> None:
    front = [(-0.55, 0.625), (-0.55, 0.625), (-0.28, 0.865), (-0.02, 0.915), (-0.02, 0.915), (0.0, 0.635), (0.0, 0.635)]
    rear = [(0.05, 0.635), (0.05, 0.635), (0.03, 0.915), (0.03, 0.915), (0.29, 0.895), (0.62, 0.70), (0.56, 0.645),
            (0.56, 0.645)]
    for pane in (front, rear):
        figure.shape(pane, "#22303f", smooth=True)
        with figure.within(pane, smooth=True):
            figure.shape([(-0.38, 0.6), (-0.26, 0.6), (-0.02, 0.95), (-0.14, 0.95)], "#5f7f96")
            figure.shape([(0.18, 0.6), (0.24, 0.6), (0.46, 0.95), (0.40, 0.95)], "#5f7f96")


def _wheel(figure: Figure, x: float, radius: float) -> None:
    figure.oval(x, radius + 0.02, radius * 1.18, radius * 1.18, "#121216")
    figure.oval(x, radius, radius, radius, "#1d1d22")
    figure.oval(x, radius, radius * 0.68, radius * 0.68, "#c9ccd2")
    figure.oval(x, radius, radius * 0.60, radius * 0.60, "#4a4d55")
    for spoke in range(5):
        angle = spoke * 2 * np.pi / 5 + 0.3
        tip = (x + np.cos(angle) * radius * 0.60, radius + np.sin(angle) * radius * 0.60)
        figure.stroke([(x, radius), tip], radius * 0.17, "#d9dce0", smooth=False)
    figure.oval(x, radius, radius * 0.16, radius * 0.16, "#8a8d95")


def sailboat(figure: Figure, look: Look) -> None:
    """A sloop under full sail."""
    sail = look.colour_or("#f7efe0", "#f7efe0", "#e8b25a", "#d9584a")
    hull = [(-0.34, 0.13), (-0.34, 0.13), (0.40, 0.15), (0.40, 0.15), (0.33, 0.03), (0.22, -0.015), (-0.22, -0.015),
            (-0.30, 0.04)]
    figure.stroke([(0.03, 0.12), (0.03, 1.06)], 0.014, "#5a3f30", smooth=False)
    main = [(0.0, 0.22), (0.0, 0.22), (0.0, 1.02), (0.0, 1.02), (-0.20, 0.66), (-0.37, 0.24), (-0.37, 0.24),
            (-0.18, 0.20)]
    figure.shape(main, sail, smooth=True)
    with figure.within(main, smooth=True):
        figure.shape([(0.02, 0.1), (0.02, 1.1), (-0.07, 0.8), (-0.15, 0.1)], darker(sail, 0.16))
        for y in (0.42, 0.62, 0.82):
            figure.stroke([(-0.4, y - 0.03), (0.0, y)], 0.005, darker(sail, 0.22), smooth=False)
    jib = [(0.06, 0.25), (0.06, 0.25), (0.07, 0.92), (0.07, 0.92), (0.20, 0.55), (0.385, 0.20), (0.385, 0.20),
           (0.2, 0.19)]
    figure.shape(jib, lighter(sail, 0.25) if look.colour is None else darker(sail, 0.12), smooth=True)
    figure.shape([(0.03, 1.06), (0.03, 1.02), (-0.08, 1.045)], "#d8463c")
    figure.shape(hull, "#6d3a2c", smooth=True)
    with figure.within(hull, smooth=True):
        figure.box(-0.5, 0.09, 0.5, 0.2, "#f1e6d4")
        figure.box(-0.5, -0.1, 0.5, 0.03, "#3a1f1c")
    figure.oval(-0.20, 0.185, 0.022, 0.028, "#2c3a52")
    figure.oval(-0.20, 0.225, 0.018, 0.018, "#e0b494")


def balloon(figure: Figure, look: Look) -> None:
    """A hot-air balloon in coloured panels."""
    first = look.colour_or("#e2493c", "#ef8a2a", "#3f7fd0", "#8a4fc0")
    second = rgb(("#f6d25a", "#f4ead8", "#f29a4a", "#57b0a8")[int(look.draws[1] * 4)])
    angle = np.linspace(-0.32 * np.pi, 1.32 * np.pi, 36)
    round_part = [(0.33 * np.cos(a), 0.68 + 0.33 * np.sin(a)) for a in angle]
    outline = [(0.065, 0.24), *round_part, (-0.065, 0.24)]
    figure.shape(outline, first)
    with figure.within(outline):
        for at in range(-3, 4):
            if at % 2:
                inner, outer = np.sin((at - 0.5) * 0.45), np.sin((at + 0.5) * 0.45)
                left, right = (curve([(0.06 * inner, 0.2), (0.33 * inner, 0.68), (0.0, 1.02)], closed=False),
                               curve([(0.0, 1.02), (0.33 * outer, 0.68), (0.06 * outer, 0.2)], closed=False))
                figure.shape([*left, *right], second)
        with figure.within([(0.10, 0.0), (0.4, 0.0), (0.4, 1.1), (0.0, 1.1), (0.16, 0.86), (0.19, 0.6), (0.04, 0.2)],
                           smooth=True):
            for at in range(-3, 4):
                inner, outer = np.sin((at - 0.5) * 0.45), np.sin((at + 0.5) * 0.45)
                tone = darker(second if at % 2 else first, 0.26)
                left, right = (curve([(0.06 * inner, 0.2), (0.33 * inner, 0.68), (0.0, 1.02)], closed=False),
                               curve([(0.0, 1.02), (0.33 * outer, 0.68), (0.06 * outer, 0.2)], closed=False))
                figure.shape([*left, *right], tone)
    for x in (-0.055, 0.055):
        figure.stroke([(x, 0.24), (x * 0.75, 0.10)], 0.005, "#4a3428", smooth=False)
    if look.lamps_lit:
        with figure.shining():
            figure.oval(0, 0.20, 0.013, 0.034, "#ffd27a")
    figure.shape([(-0.052, 0.10), (0.052, 0.10), (0.044, 0.0), (-0.044, 0.0)], "#8a5a34")
    figure.box(-0.056, 0.088, 0.056, 0.104, "#5a3a24")


def rocket(figure: Figure, look: Look) -> None:
    """A finned rocket on a column of fire."""
    paint = look.colour_or("#d8413a", "#3f6fd0", "#ef8a2a")
    with figure.shining():
        for width, length, tone in ((0.10, 0.34, "#ff6a1f"), (0.065, 0.25, "#ffb02e"), (0.035, 0.16, "#fff3c0")):
            figure.shape([(-width, 0.30), (width, 0.30), (width * 0.6, 0.30 - length * 0.6), (0, 0.30 - length),
                          (-width * 0.6, 0.30 - length * 0.6)], tone, smooth=True)
    body = [(-0.11, 0.30), (-0.11, 0.30), (0.11, 0.30), (0.11, 0.30), (0.135, 0.58), (0.09, 0.86), (0.0, 1.04),
            (0.0, 1.04), (-0.09, 0.86), (-0.135, 0.58)]
    for side in (-1, 1):
        figure.shape([(side * 0.11, 0.50), (side * 0.27, 0.32), (side * 0.25, 0.18), (side * 0.09, 0.31)],
                     darker(paint, 0.1 + 0.15 * (side + 1)))
    figure.shape(body, "#efece4", smooth=True)
    with figure.within(body, smooth=True):
        figure.box(-0.3, 0.84, 0.3, 1.1, paint)
        figure.box(-0.3, 0.30, 0.3, 0.37, paint)
        figure.shape([(0.045, 0.2), (0.3, 0.2), (0.3, 1.1), (0.0, 1.1), (0.06, 0.8)], darker("#d6d2cc", 0.3))
        figure.shape([(0.03, 0.85), (0.3, 0.84), (0.3, 1.1), (0.0, 1.1)], darker(paint, 0.3))
    figure.oval(-0.01, 0.66, 0.058, 0.058, darker(paint, 0.2))
    figure.oval(-0.01, 0.66, 0.042, 0.042, "#7fc4e0")
    figure.oval(-0.022, 0.674, 0.014, 0.014, mix(rgb("#ffffff"), rgb("#7fc4e0"), 0.2))
    figure.shape([(-0.075, 0.30), (0.075, 0.30), (0.095, 0.255), (-0.095, 0.255)], "#5a5d66")
