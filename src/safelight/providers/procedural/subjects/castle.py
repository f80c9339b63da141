"""A castle: a keep with towers on a crag, cone roofs, banners."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural.colour import Array, mix, rgb
from safelight.providers.procedural.figure import Figure, darker, lighter
from safelight.providers.procedural.subjects.look import LAMP, Look

# A drawing: its points stay in rows.
# fmt: off


def castle(figure: Figure, look: Look) -> None:
    """A keep with towers on a crag, cone roofs, banners."""
    stone = mix(rgb("#b9b0a4"), look.colour, 0.5) if look.colour is not None else rgb("#b9b0a4")
    roof = rgb(("#7d3b46", "#3f5a86", "#4a6b5a", "#8a5a3a")[int(look.draws[0] * 4)])
    _crag(figure, look)
    base = 0.26
    _wall(figure, -0.42, base - 0.08, 0.42, base + 0.17, darker(stone, 0.12), look)
    _tower(figure, look, -0.40, base - 0.1, 0.062, 0.34 + 0.06 * look.draws[1], stone, roof)
    _tower(figure, look, 0.40, base - 0.1, 0.066, 0.30 + 0.08 * look.draws[2], stone, roof)
    _wall(figure, -0.20, base, 0.22, base + 0.32, stone, look)
    _tower(figure, look, -0.19, base, 0.052, 0.42 + 0.05 * look.draws[3], stone, roof)
    _tower(figure, look, 0.21, base, 0.058, 0.38 + 0.06 * look.draws[4], stone, roof)
    _tower(figure, look, 0.03 + 0.04 * (look.draws[5] - 0.5), base + 0.2, 0.068, 0.34 + 0.08 * look.draws[6], stone,
           roof)
    _wall(figure, -0.30, base - 0.08, 0.30, base + 0.10, lighter(stone, 0.08), look)
    _tower(figure, look, -0.12, base - 0.1, 0.044, 0.25, stone, roof)
    _tower(figure, look, 0.12, base - 0.1, 0.044, 0.25, stone, roof)
    _gate(figure, look, base - 0.09)


def _crag(figure: Figure, look: Look) -> None:
    rock = rgb("#6d6a70")
    jag = 0.03 * (look.draws - 0.5)
    outline = [(-0.72, -0.12), (-0.62, 0.02 + jag[0]), (-0.53, 0.09), (-0.49, 0.19 + jag[1]), (-0.30, 0.20),
               (0.0, 0.185), (0.31, 0.20), (0.50, 0.18 + jag[2]), (0.55, 0.08), (0.64, 0.03 + jag[3]), (0.74, -0.12)]
    figure.shape(outline, rock)
    with figure.within(outline):
        side = 1 if not figure.flip else -1
        for at in np.linspace(-0.6, 0.6, 9):
            lean = 0.05 * np.sin(at * 40)
            figure.shape([(at, 0.22), (at + 0.045 * side + lean, 0.07), (at + 0.01 + lean, -0.12), (at - 0.05, -0.12)],
                         darker(rock, 0.28))
        green = rgb("#6f8a4a") if not look.scene.snowy else rgb("#eef3f8")
        figure.shape([(-0.7, 0.3), *((x, 0.165 + 0.018 * np.sin(x * 31)) for x in np.linspace(-0.7, 0.7, 30)),
                      (0.7, 0.3)], green)


def _wall(figure: Figure, left: float, bottom: float, right: float, top: float, stone: Array, look: Look) -> None:
    figure.box(left, bottom, right, top, stone)
    _crenels(figure, left, right, top, stone, 0.022)
    figure.box(left, top - 0.02, right, top - 0.012, darker(stone, 0.3))
    for x in np.arange(left + 0.05, right - 0.04, 0.085):
        _slit(figure, look, x, (bottom + top) / 2 + 0.03, 0.009, 0.03)


def _crenels(figure: Figure, left: float, right: float, top: float, stone: Array, size: float) -> None:
    count = max(2, round((right - left) / (size * 1.8)))
    step = (right - left) / (count - 0.45)
    for at in range(count):
        figure.box(left + at * step, top - 0.002, left + at * step + step * 0.55, top + size, stone)


def _tower(figure: Figure, look: Look, x: float, bottom: float, half: float, high: float, stone: Array,
           roof: Array) -> None:
    top = bottom + high
    figure.box(x - half, bottom, x + half, top, lighter(stone, 0.1))
    figure.box(x + half * 0.15, bottom, x + half, top, darker(stone, 0.12))
    figure.box(x + half * 0.6, bottom, x + half, top, darker(stone, 0.3))
    figure.box(x - half * 1.18, top - 0.035, x + half * 1.18, top, stone)
    figure.box(x + half * 0.2, top - 0.035, x + half * 1.18, top, darker(stone, 0.22))
    _crenels(figure, x - half * 1.18, x + half * 1.18, top, stone, half * 0.34)
    tip = top + half * 3.1
    figure.shape([(x - half * 1.05, top), (x + half * 1.05, top), (x, tip)], roof)
    figure.shape([(x + half * 0.1, top), (x + half * 1.05, top), (x, tip)], darker(roof, 0.32))
    figure.stroke([(x, tip), (x, tip + half * 0.9)], 0.004, darker(roof, 0.5), smooth=False)
    flag = lighter("#c8463c", 0.1)
    figure.shape([(x, tip + half * 0.9), (x + half * 0.95, tip + half * 0.68), (x, tip + half * 0.42)], flag)
    _slit(figure, look, x - half * 0.2, top - 0.085, half * 0.22, half * 0.75)
    _slit(figure, look, x - half * 0.2, top - 0.19, half * 0.18, half * 0.6)


def _slit(figure: Figure, look: Look, x: float, y: float, half: float, high: float) -> None:
    outline = [(x - half, y), (x - half, y + high * 0.7), (x, y + high), (x + half, y + high * 0.7), (x + half, y)]
    figure.shape(outline, "#2a2630")
    if look.lamps_lit:
        with figure.shining():
            figure.shape(outline, LAMP)


def _gate(figure: Figure, look: Look, y: float) -> None:
    arch = [(0.052 * np.cos(a), y + 0.09 + 0.05 * np.sin(a)) for a in np.linspace(0, np.pi, 14)]
    figure.shape([(0.052, y), *arch, (-0.052, y)], "#221c22")
    if look.lamps_lit:
        with figure.shining():
            figure.shape([(0.034, y), *((x * 0.65, y + (v - y) * 0.8) for x, v in arch), (-0.034, y)], "#f2a54a")
    for x in (-0.026, 0.0, 0.026):
        figure.stroke([(x, y), (x, y + 0.12)], 0.004, "#4a3a30", smooth=False)
