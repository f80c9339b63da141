"""What makes a portrait a king, a knight, an astronaut: crowns, helmets, hats; and robots, which are all of a piece."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural.colour import Array, mix, rgb
from safelight.providers.procedural.figure import Figure, Point, darker, lighter
from safelight.providers.procedural.subjects.look import Look

# A drawing: its points stay in rows.
# fmt: off

GOLD, STEEL = rgb("#e8b83f"), rgb("#a9b2bd")


def dress(figure: Figure, look: Look, clothes: Array) -> None:
    """Add what the named role wears on its head, if it is a role that wears something."""
    if look.says("king", "queen", "prince", "princess"):
        _crown(figure)
    elif look.says("knight"):
        _helmet(figure)
    elif look.says("astronaut"):
        _space_helmet(figure)
    elif look.says("wizard", "witch", "mage", "sorcerer"):
        _pointed_hat(figure, clothes)
    elif look.says("pirate"):
        _tricorn(figure)
    elif look.says("viking"):
        _horned_helmet(figure)
    elif look.says("detective", "cowboy"):
        _brimmed_hat(figure, rgb("#6a4a34"))
    elif look.says("chef"):
        _toque(figure)


def _crown(figure: Figure) -> None:
    points: list[Point] = [(-0.175, 0.845)]
    for at in range(5):
        x = -0.175 + at * 0.0875
        points += [(x, 1.02 if at % 2 == 0 else 1.06)]
        if at < 4:
            points += [(x + 0.044, 0.935)]
    figure.shape([*points, (0.175, 0.845), (0.0, 0.82)], GOLD)
    with figure.within([*points, (0.175, 0.845), (0.0, 0.82)]):
        figure.shape([(0.04, 1.1), (0.3, 1.1), (0.3, 0.7), (0.04, 0.7)], darker(GOLD, 0.22))
        figure.stroke([(-0.18, 0.872), (0.0, 0.848), (0.18, 0.872)], 0.010, lighter(GOLD, 0.4))
    for at, tone in enumerate(("#c8363a", "#3f6fd0", "#2f9a6a", "#3f6fd0", "#c8363a")):
        x = -0.175 + at * 0.0875
        figure.oval(x, 1.03 if at % 2 == 0 else 1.07, 0.016, 0.016, lighter(GOLD, 0.35))
        figure.oval(x * 0.88, 0.892 - 0.022 * (1 - abs(at - 2) / 2), 0.017, 0.014, tone)


def _helmet(figure: Figure) -> None:
    _pauldrons(figure)
    shell: list[Point] = [(0.0, 0.985), (-0.16, 0.935), (-0.225, 0.79), (-0.22, 0.60), (-0.17, 0.44), (0.0, 0.36),
                          (0.17, 0.44), (0.22, 0.60), (0.225, 0.79), (0.16, 0.935)]
    figure.shape(shell, STEEL, smooth=True)
    with figure.within(shell, smooth=True):
        figure.shape([(0.03, 1.0), (0.3, 1.0), (0.3, 0.3), (0.03, 0.3)], darker(STEEL, 0.32))
        figure.shape([(-0.19, 0.92), (-0.14, 0.93), (-0.15, 0.5), (-0.2, 0.55)], lighter(STEEL, 0.5))
        figure.shape([(-0.3, 0.70), (-0.03, 0.68), (0.03, 0.68), (0.3, 0.70), (0.3, 0.625), (0.03, 0.60),
                      (-0.03, 0.60), (-0.3, 0.625)], "#15161c")
        for side in (-1, 1):
            for y in (0.54, 0.505, 0.47):
                figure.stroke([(side * 0.05, y), (side * 0.13, y + 0.01)], 0.011, "#15161c", smooth=False)
    figure.shape([(-0.022, 1.0), (0.022, 1.0), (0.03, 0.60), (0.0, 0.36), (-0.03, 0.60)], lighter(STEEL, 0.18))
    plume: list[Point] = [(0.0, 0.96), (-0.06, 1.06), (0.04, 1.13), (0.17, 1.08), (0.27, 0.92), (0.30, 0.74),
                          (0.21, 0.86), (0.10, 0.96)]
    figure.shape(plume, "#c03a36", smooth=True)


def _pauldrons(figure: Figure) -> None:
    figure.shape([(-0.22, 0.30), (0.22, 0.30), (0.30, -0.1), (-0.30, -0.1)], darker(STEEL, 0.12))
    figure.shape([(0.0, 0.30), (0.22, 0.30), (0.30, -0.1), (0.0, -0.1)], darker(STEEL, 0.38))
    figure.stroke([(-0.16, 0.33), (0.0, 0.26), (0.16, 0.33)], 0.06, lighter(STEEL, 0.1))
    for side in (-1, 1):
        for plate in range(3):
            y = 0.235 - 0.105 * plate
            outline: list[Point] = [(side * 0.19, y + 0.07), (side * (0.40 + 0.05 * plate), y + 0.02),
                                    (side * (0.50 + 0.03 * plate), y - 0.12), (side * 0.24, y - 0.07)]
            figure.shape(outline, lighter(STEEL, 0.12) if side < 0 else darker(STEEL, 0.28), smooth=True)
            figure.stroke([outline[2], outline[3]], 0.008, darker(STEEL, 0.6), smooth=False)


def _space_helmet(figure: Figure) -> None:
    white = rgb("#eceef2")
    figure.shape([(-0.53, -0.1), (-0.51, 0.12), (-0.40, 0.26), (-0.18, 0.34), (0.18, 0.34), (0.40, 0.26), (0.51, 0.12),
                  (0.53, -0.1)], white, smooth=True)
    figure.shape([(0.10, 0.34), (0.40, 0.26), (0.51, 0.12), (0.53, -0.1), (0.2, -0.1)], darker(white, 0.25))
    figure.box(-0.15, 0.02, 0.15, 0.17, "#b9c0cc")
    for x, tone in ((-0.09, "#d8433a"), (0.0, "#f0c34a"), (0.09, "#3f8fd0")):
        figure.oval(x, 0.11, 0.026, 0.026, tone)
    figure.oval(0, 0.665, 0.305, 0.325, white)
    figure.oval(0.03, 0.655, 0.275, 0.295, darker(white, 0.22))
    figure.oval(0, 0.665, 0.245, 0.262, "#c9932e")
    figure.oval(0, 0.665, 0.225, 0.242, "#141c33")
    visor: list[Point] = [(0.225 * np.cos(a), 0.665 + 0.242 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 40,
        endpoint=False)]
    with figure.within(visor):
        figure.oval(0.10, 0.46, 0.27, 0.20, "#24508a")
        figure.oval(0.13, 0.40, 0.22, 0.15, "#4f9ad0")
        figure.shape([(-0.2, 0.70), (-0.09, 0.90), (-0.02, 0.92), (-0.17, 0.62)], "#8fb0d8")
        for x, y in ((0.05, 0.80), (0.12, 0.74), (-0.02, 0.72), (0.15, 0.83)):
            figure.oval(x, y, 0.006, 0.006, "#ffffff")
    figure.stroke([(-0.2, 0.335), (0.0, 0.30), (0.2, 0.335)], 0.035, "#8d95a3")


def _pointed_hat(figure: Figure, clothes: Array) -> None:
    tone = darker(mix(clothes, rgb("#33285e"), 0.5), 0.15)
    figure.shape([(-0.16, 0.85), (-0.10, 1.02), (-0.02, 1.13), (0.10, 1.15), (0.05, 1.09), (0.12, 1.0), (0.165, 0.85)],
                 tone, smooth=False)
    figure.shape([(0.04, 0.85), (0.03, 1.05), (0.10, 1.15), (0.05, 1.09), (0.12, 1.0), (0.165, 0.85)],
                 darker(tone, 0.3))
    figure.oval(0.0, 0.835, 0.33, 0.062, darker(tone, 0.12))
    figure.shape([(-0.168, 0.845), (-0.15, 0.905), (0.15, 0.905), (0.168, 0.845), (0.0, 0.815)], GOLD)
    for x, y in ((-0.06, 0.97), (0.03, 0.94), (-0.01, 1.05)):
        figure.oval(x, y, 0.012, 0.012, lighter(GOLD, 0.3))


def _tricorn(figure: Figure) -> None:
    figure.shape([(-0.34, 0.86), (-0.24, 0.97), (-0.13, 1.04), (0.0, 1.06), (0.13, 1.04), (0.24, 0.97), (0.34, 0.86),
                  (0.18, 0.835), (0.0, 0.87), (-0.18, 0.835)], "#221e24", smooth=True)
    figure.stroke([(-0.33, 0.865), (-0.18, 0.845), (0.0, 0.878), (0.18, 0.845), (0.33, 0.865)], 0.014, GOLD)
    figure.oval(0, 0.965, 0.042, 0.040, "#f0ebe0")
    figure.box(-0.022, 0.908, 0.022, 0.94, "#f0ebe0")
    for side in (-1, 1):
        figure.oval(side * 0.016, 0.963, 0.011, 0.012, "#221e24")
    figure.oval(-0.077, 0.645, 0.055, 0.047, "#1b181c")
    figure.stroke([(-0.18, 0.73), (-0.077, 0.66), (0.17, 0.78)], 0.012, "#1b181c")


def _horned_helmet(figure: Figure) -> None:
    for side in (-1, 1):
        horn: list[Point] = [(side * 0.17, 0.86), (side * 0.30, 0.88), (side * 0.35, 1.02), (side * 0.33, 1.10),
                             (side * 0.33, 1.10), (side * 0.27, 0.99), (side * 0.15, 0.96)]
        figure.shape(horn, "#efe6d0" if side < 0 else darker("#efe6d0", 0.2), smooth=True)
    dome: list[Point] = [(-0.205, 0.79), (-0.205, 0.79), (-0.18, 0.92), (0.0, 1.0), (0.18, 0.92), (0.205, 0.79),
                         (0.205, 0.79), (0.0, 0.765)]
    figure.shape(dome, STEEL, smooth=True)
    with figure.within(dome, smooth=True):
        figure.shape([(0.04, 1.1), (0.3, 1.1), (0.3, 0.7), (0.04, 0.7)], darker(STEEL, 0.3))
    figure.stroke([(-0.205, 0.79), (0.0, 0.768), (0.205, 0.79)], 0.04, "#8a6a34")
    figure.box(-0.02, 0.77, 0.02, 0.99, "#8a6a34")


def _brimmed_hat(figure: Figure, tone: Array) -> None:
    figure.shape([(-0.175, 0.83), (-0.165, 0.96), (-0.08, 1.03), (0.0, 1.0), (0.08, 1.03), (0.165, 0.96),
                  (0.175, 0.83)], tone, smooth=True)
    figure.box(-0.175, 0.825, 0.175, 0.875, darker(tone, 0.5))
    figure.oval(0, 0.822, 0.335, 0.05, darker(tone, 0.15))


def _toque(figure: Figure) -> None:
    for x, y in ((-0.12, 1.0), (0.12, 1.0), (0.0, 1.05)):
        figure.oval(x, y, 0.125, 0.095, "#f6f4ef" if x <= 0 else "#dcd9d6")
    figure.box(-0.17, 0.83, 0.17, 0.98, "#efece6")
    figure.box(0.05, 0.83, 0.17, 0.98, "#d4d1cf")


def robot(figure: Figure, look: Look) -> None:
    """A friendly machine: square head, round shining eyes, an antenna."""
    shell = look.colour_or("#c9d2da", "#d98a4a", "#7fb0b8", "#e0c060")
    figure.shape([(-0.46, -0.1), (-0.46, 0.14), (-0.36, 0.26), (0.36, 0.26), (0.46, 0.14), (0.46, -0.1)], shell)
    figure.shape([(0.10, 0.26), (0.36, 0.26), (0.46, 0.14), (0.46, -0.1), (0.16, -0.1)], darker(shell, 0.25))
    figure.box(-0.17, -0.04, 0.17, 0.15, darker(shell, 0.55))
    for at, tone in enumerate(("#ff5a4a", "#ffc44a", "#5affa0")):
        with figure.shining():
            figure.oval(-0.09 + 0.09 * at, 0.06, 0.026, 0.026, tone)
    for y in (0.28, 0.32, 0.36):
        figure.box(-0.085, y, 0.085, y + 0.026, darker(shell, 0.5))
    figure.stroke([(0.0, 0.88), (0.0, 1.02)], 0.016, darker(shell, 0.5), smooth=False)
    with figure.shining():
        figure.oval(0, 1.04, 0.032, 0.032, "#ff6a5a")
    for side in (-1, 1):
        figure.box(side * 0.27 - 0.03, 0.55, side * 0.27 + 0.03, 0.72, darker(shell, 0.4))
    head: list[Point] = [(-0.25, 0.42), (-0.21, 0.39), (0.21, 0.39), (0.25, 0.42), (0.25, 0.84), (0.20, 0.88),
                         (-0.20, 0.88), (-0.25, 0.84)]
    figure.shape(head, shell)
    with figure.within(head):
        figure.shape([(0.09, 1.0), (0.4, 1.0), (0.4, 0.3), (0.09, 0.3)], darker(shell, 0.2))
        figure.box(-0.25, 0.85, 0.1, 0.875, lighter(shell, 0.5))
    figure.shape([(-0.20, 0.55), (0.20, 0.55), (0.20, 0.77), (-0.20, 0.77)], "#1d2430")
    eye = rgb(("#4fe0ff", "#7dff9a", "#ffd24a")[int(look.draws[1] * 3)])
    with figure.shining():
        for side in (-1, 1):
            figure.oval(side * 0.093, 0.66, 0.056, 0.056, eye)
            figure.oval(side * 0.093, 0.66, 0.026, 0.026, lighter(eye, 0.8))
    for x in np.linspace(-0.10, 0.10, 6):
        figure.box(x - 0.011, 0.445, x + 0.011, 0.50, darker(shell, 0.6))
