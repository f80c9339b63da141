"""Tree, palm, cactus, flower."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural.colour import Array, mix, rgb, turned
from safelight.providers.procedural.figure import Figure, Point, curve, darker, lighter
from safelight.providers.procedural.subjects.look import Look

# A drawing: its points stay in rows.
# fmt: off


def tree(figure: Figure, look: Look) -> None:
    """One broad old tree; in blossom, in autumn colours or in snow when the words say so."""
    leaf = _leaf_colour(look)
    rng = look.scene.rng("crown")
    bark = rgb("#5a4234")
    figure.shape([(-0.13, -0.02), (-0.13, -0.02), (-0.055, 0.10), (-0.045, 0.30), (-0.16, 0.52), (-0.12, 0.54),
                  (0.0, 0.42), (0.13, 0.56), (0.16, 0.53), (0.055, 0.30), (0.06, 0.10), (0.14, -0.02), (0.14,
                      -0.02)], bark, smooth=True)
    figure.shape([(0.02, 0.0), (0.14, -0.02), (0.06, 0.10), (0.05, 0.30), (0.10, 0.45), (0.02, 0.32)],
                 darker(bark, 0.35))
    clusters = [(float(0.40 * r * np.cos(a)), float(0.66 + 0.27 * r * np.sin(a)), float(0.13 + 0.05 * s)) for a, r,
                s in zip(np.linspace(0, 2 * np.pi, 15), 0.55 + 0.45 * rng.random(15), rng.random(15), strict=True)]
    clusters += [(0.0, 0.68, 0.22), (-0.16, 0.62, 0.17), (0.17, 0.63, 0.17), (0.02, 0.82, 0.17)]
    for grow, sink, tone in ((1.08, -0.02, darker(leaf, 0.42)), (1.0, 0.0, darker(leaf, 0.15)), (0.72, 0.035, leaf),
                             (0.42, 0.06, lighter(leaf, 0.22))):
        for x, y, radius in clusters:
            _tuft(figure, x - (1 - grow) * 0.05 * (1 if grow < 1 else 0), y + sink, radius * grow, tone, rng)
    for x, y in rng.random((90, 2)):
        figure.oval((x - 0.5) * 0.86, 0.44 + 0.5 * y, 0.012, 0.009, lighter(leaf, 0.3) if y > 0.5 else darker(leaf,
            0.2)) if _inside(x, y) else None
    if look.says("sakura", "blossom", "cherry"):
        for x, y, s in rng.random((40, 3)):
            figure.oval((x - 0.5) * 1.2, y * 0.5, 0.006 + 0.004 * s, 0.005, lighter(leaf, 0.3), 40 * s)


def _inside(x: float, y: float) -> bool:
    return ((x - 0.5) / 0.5) ** 2 + ((y - 0.5) / 0.5) ** 2 < 0.8


def _tuft(figure: Figure, x: float, y: float, radius: float, tone: Array, rng: np.random.Generator) -> None:
    angle = np.linspace(0, 2 * np.pi, 11, endpoint=False)
    reach = radius * (0.82 + 0.3 * rng.random(11))
    figure.shape([(float(x + r * np.cos(a)), float(y + r * 0.82 * np.sin(a))) for a,
                  r in zip(angle, reach, strict=True)], tone, smooth=True)


def _leaf_colour(look: Look) -> Array:
    if look.says("sakura", "blossom", "cherry"):
        return rgb("#f2a7bd")
    if look.says("autumn", "fall"):
        return rgb(("#d9772e", "#c94f2e", "#e0a52f")[int(look.draws[0] * 3)])
    if look.scene.snowy:
        return rgb("#dfe8f0")
    return look.colour_or("#5f9143", "#4f8a4a", "#7a9a3f")


def palm(figure: Figure, look: Look) -> None:
    """A leaning palm with coconuts."""
    lean = 0.10 + 0.12 * float(look.draws[0])
    bark = rgb("#8a6a4a")
    trunk = [(0.0, 0.0), (lean * 0.25, 0.28), (lean * 0.7, 0.56), (lean * 1.35, 0.80)]
    for at, (x, y) in enumerate(curve(trunk, closed=False, steps=10)):
        figure.oval(x, y, 0.034 - 0.0005 * at, 0.020, bark if at % 2 else darker(bark, 0.25))
    top_x, top_y = trunk[-1]
    for turn in np.linspace(-28, 208, 9):
        _frond(figure, top_x, top_y, turn + 8 * float(look.draws[1]), 0.40 + 0.05 * np.sin(turn),
               darker("#4f8f45", 0.25 if int(turn) % 2 else 0.0))
    for dx, dy in ((-0.02, -0.02), (0.025, -0.015), (0.0, -0.035)):
        figure.oval(top_x + dx, top_y + dy, 0.021, 0.021, "#6a4428")


def _frond(figure: Figure, x: float, y: float, turn: float, reach: float, tone: Array) -> None:
    out, rise = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    spine = curve([(x, y), (x + out * reach * 0.5, y + rise * reach * 0.42 + 0.06),
                   (x + out * reach, y + rise * reach * 0.55 - 0.12)], closed=False, steps=9)
    upper, lower = [], []
    for at, (px, py) in enumerate(spine):
        share = at / (len(spine) - 1)
        wide = 0.075 * np.sin(np.pi * min(1.0, share * 0.9 + 0.08)) * (0.55 if at % 2 else 1.0)
        upper.append((px, py + wide * 0.45))
        lower.append((px + out * 0.02, py - wide))
    figure.shape([*upper, *reversed(lower)], tone)
    figure.stroke(spine, 0.006, lighter(tone, 0.25), smooth=False)


def cactus(figure: Figure, look: Look) -> None:
    """A saguaro with raised arms and a flower."""
    green = look.colour_or("#4f8a52", "#5a9460", "#3f7a58")
    arm_l, arm_r = 0.30 + 0.12 * float(look.draws[0]), 0.38 + 0.14 * float(look.draws[1])
    for side, at in ((-1, arm_l), (1, arm_r)):
        path: list[Point] = [(0.0, at), (side * 0.14, at + 0.01), (side * 0.205, at + 0.08), (side * 0.21, at + 0.30)]
        figure.stroke(path, 0.115, green if side < 0 else darker(green, 0.18))
        figure.stroke([(px - 0.02, py) for px, py in path], 0.016, lighter(green, 0.22) if side < 0 else green)
    figure.stroke([(0.0, 0.03), (0.0, 0.90)], 0.19, green, smooth=False)
    figure.stroke([(0.055, 0.03), (0.055, 0.89)], 0.075, darker(green, 0.2), smooth=False)
    for x in (-0.06, -0.02, 0.025, 0.065):
        figure.stroke([(x, 0.03), (x, 0.93)], 0.007, darker(green, 0.35), smooth=False)
    figure.stroke([(-0.04, 0.05), (-0.04, 0.93)], 0.012, lighter(green, 0.28), smooth=False)
    for turn in range(0, 360, 60):
        figure.oval(0.0 + 0.028 * np.cos(np.deg2rad(turn)), 0.995 + 0.02 * np.sin(np.deg2rad(turn)), 0.03, 0.018,
                    "#e8508a", turn)
    figure.oval(0, 0.995, 0.016, 0.013, "#f6d25a")


def flower(figure: Figure, look: Look) -> None:
    """One great bloom on its stem: sunflower, rose, tulip, or a daisy in any colour."""
    green = rgb("#4f8a3f")
    figure.stroke([(0.02, -0.1), (-0.03, 0.2), (0.02, 0.42), (0.0, 0.66)], 0.026, green)
    for side, y in ((-1, 0.16), (1, 0.30)):
        leaf: list[Point] = [(0.0, y), (0.0, y), (side * 0.12, y + 0.11), (side * 0.28, y + 0.12),
                             (side * 0.28, y + 0.12), (side * 0.16, y + 0.01)]
        figure.shape(leaf, lighter(green, 0.08) if side < 0 else darker(green, 0.15), smooth=True)
        figure.stroke([(0.0, y), (side * 0.14, y + 0.06), (side * 0.26, y + 0.115)], 0.006, darker(green, 0.35))
    if look.says("tulip", "tulips"):
        _tulip(figure, look.colour_or("#d8363f", "#f0a82e", "#b64fc0"))
    elif look.says("rose", "roses"):
        _rose(figure, look.colour_or("#c8283c", "#e86a8a", "#f0e4d8"))
    elif look.says("sunflower", "sunflowers"):
        _petals(figure, rgb("#f2b51f"), 22, 0.30, 0.052, rgb("#5a361e"), 0.135)
    else:
        _petals(figure, look.colour_or("#f4f0ea", "#e8547a", "#8f6ad8", "#f09a3a"), 14, 0.27, 0.066, rgb("#f0b92e"),
                0.095)


def _petals(figure: Figure, tone: Array, count: int, reach: float, half: float, heart: Array,
            heart_size: float) -> None:
    middle = 0.74
    for ring, (offset, shade) in enumerate(((0.5, darker(tone, 0.2)), (0.0, tone))):
        for petal in range(count):
            angle = 2 * np.pi * (petal + offset) / count
            cos, sin = np.cos(angle), np.sin(angle)
            far = reach * (1.0 if ring == 0 else 0.94)
            outline = [(0.05, 0.0), (far * 0.55, half), (far, 0.0), (far, 0.0), (far * 0.55, -half)]
            figure.shape([(a * cos - b * sin, middle + a * sin + b * cos) for a, b in outline],
                         shade if petal % 2 else turned(shade, 6, 1.0, -0.02), smooth=True)
            figure.stroke([(0.1 * cos, middle + 0.1 * sin), (far * 0.8 * cos, middle + far * 0.8 * sin)], 0.004,
                          darker(shade, 0.18), smooth=False)
    figure.oval(0, middle, heart_size, heart_size, darker(heart, 0.2))
    for seed in range(150):
        angle, radius = seed * 2.39996, heart_size * 0.93 * np.sqrt(seed / 150)
        figure.oval(radius * np.cos(angle), middle + radius * np.sin(angle), 0.0065, 0.0065,
                    lighter(heart, 0.28 if seed % 2 else 0.08))


def _tulip(figure: Figure, tone: Array) -> None:
    for side in (-1, 1):
        figure.shape([(0.0, 0.60), (side * 0.15, 0.64), (side * 0.185, 0.82), (side * 0.13, 1.0), (side * 0.13, 1.0),
                      (side * 0.02, 0.86)], darker(tone, 0.12 if side < 0 else 0.28), smooth=True)
    figure.shape([(0.0, 0.59), (-0.10, 0.66), (-0.115, 0.84), (0.0, 1.02), (0.0, 1.02), (0.115, 0.84), (0.10, 0.66)],
                 tone, smooth=True)
    figure.shape([(0.02, 0.60), (0.10, 0.66), (0.115, 0.84), (0.0, 1.02), (0.05, 0.82)], darker(tone, 0.18),
                 smooth=True)
    figure.stroke([(-0.04, 0.68), (-0.055, 0.82), (-0.02, 0.93)], 0.012, lighter(tone, 0.35))


def _rose(figure: Figure, tone: Array) -> None:
    middle = 0.78
    for ring in range(6):
        radius = 0.235 - 0.037 * ring
        for petal in range(5):
            angle = 2 * np.pi * petal / 5 + ring * 0.62
            x, y = radius * 0.52 * np.cos(angle), middle + radius * 0.46 * np.sin(angle)
            figure.oval(x, y, radius * 0.72, radius * 0.62, darker(tone, 0.42 - 0.05 * ring), float(np.rad2deg(angle)))
            figure.oval(x + 0.010 * np.cos(angle), y + 0.012, radius * 0.66, radius * 0.56,
                        mix(darker(tone, 0.30), lighter(tone, 0.18), ring / 5), float(np.rad2deg(angle)))
    figure.stroke([(-0.03, middle), (0.0, middle + 0.03), (0.03, middle), (0.0, middle - 0.025), (-0.012, middle)],
                  0.010, darker(tone, 0.45))
