"""Head-and-shoulders portraits: many faces from a few simple parts, dressed for the role the words name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from safelight.providers.procedural.colour import Array, mix, rgb
from safelight.providers.procedural.figure import Figure, Point, darker, lighter
from safelight.providers.procedural.subjects import roles
from safelight.providers.procedural.subjects.look import Look

# A drawing: its points stay in rows.
# fmt: off

SKINS = ("#f2cdb0", "#e8b48e", "#d29a70", "#b07a52", "#8a5a3c", "#633f2c")
HAIRS = ("#2a201e", "#4a3024", "#7a4a28", "#b0793c", "#e0bd74", "#9a3f22", "#8f8c8c", "#e4e0da")
CLOTHES = ("#c4473f", "#2f5f8a", "#e0a33a", "#3f7f6a", "#6a4a86", "#e8e0d0", "#33384a", "#d9825a")


@dataclass(frozen=True)
class Person:
    """Who is portrayed."""

    skin: Array
    hair: Array
    clothes: Array
    long_hair: bool
    bearded: bool
    style: int


def portrait(figure: Figure, look: Look) -> None:
    """Shoulders, neck, head, hair and a calm face, lit from the left; then what the role adds."""
    if look.says("robot", "android", "cyborg"):
        roles.robot(figure, look)
        return
    person = _person(look)
    if person.long_hair:
        _hair_behind(figure, person)
    _bust(figure, person)
    _head(figure, person)
    _face(figure, person, look)
    _hair_front(figure, person)
    roles.dress(figure, look, person.clothes)


def _person(look: Look) -> Person:
    draws = look.draws
    woman = look.says("woman", "girl", "lady", "queen", "princess", "grandmother", "witch", "mother")
    man = look.says("man", "boy", "king", "prince", "grandfather", "wizard", "viking", "pirate", "father", "sorcerer",
                    "mage")
    old = look.says("grandmother", "grandfather", "wizard", "old", "elderly")
    young = look.says("boy", "girl", "child", "young")
    feminine = woman or (not man and draws[0] < 0.5)
    helmeted = look.says("knight", "astronaut")
    grows_beard = look.says("wizard", "viking", "king", "grandfather", "bearded", "beard")
    hair = HAIRS[6 + int(draws[2] * 2)] if old else HAIRS[int(draws[2] * 6)]
    return Person(
        skin=rgb(SKINS[int(draws[3] * 6)]),
        hair=rgb(hair),
        clothes=look.colour if look.colour is not None else rgb(CLOTHES[int(draws[4] * 8)]),
        long_hair=not helmeted and ((feminine and draws[5] < 0.7) or look.says("wizard", "viking")),
        bearded=not feminine and not young and (draws[1] < 0.45 or grows_beard),
        style=int(draws[6] * 3),
    )


def _bust(figure: Figure, person: Person) -> None:
    clothes = person.clothes
    shoulders: list[Point] = [(-0.52, -0.1), (-0.50, 0.10), (-0.40, 0.225), (-0.20, 0.285), (-0.10, 0.33),
                              (0.10, 0.33), (0.20, 0.285), (0.40, 0.225), (0.50, 0.10), (0.52, -0.1)]
    figure.shape(shoulders, clothes, smooth=True)
    with figure.within(shoulders, smooth=True):
        figure.shape([(0.06, 0.4), (0.6, 0.4), (0.6, -0.2), (0.16, -0.2)], darker(clothes, 0.2))
        figure.shape([(-0.40, 0.0), (-0.33, 0.12), (-0.35, -0.12), (-0.42, -0.12)], darker(clothes, 0.22))
        figure.shape([(0.40, 0.0), (0.33, 0.12), (0.35, -0.12), (0.42, -0.12)], darker(clothes, 0.4))
    neck: list[Point] = [(-0.085, 0.46), (-0.085, 0.33), (-0.125, 0.285), (0.0, 0.20), (0.125, 0.285), (0.085, 0.33),
                         (0.085, 0.46)]
    figure.shape(neck, darker(person.skin, 0.13))
    with figure.within(neck):
        figure.shape([(-0.1, 0.47), (0.1, 0.47), (0.1, 0.36), (0.02, 0.385), (-0.1, 0.42)], darker(person.skin, 0.36))
    figure.stroke([(-0.135, 0.295), (0.0, 0.195), (0.135, 0.295)], 0.022, darker(clothes, 0.12), smooth=False)


HEAD: list[Point] = [(0.0, 0.895), (-0.115, 0.87), (-0.175, 0.77), (-0.178, 0.655), (-0.15, 0.53), (-0.075, 0.435),
                     (0.0, 0.408), (0.075, 0.435), (0.15, 0.53), (0.178, 0.655), (0.175, 0.77), (0.115, 0.87)]


def _head(figure: Figure, person: Person) -> None:
    skin = person.skin
    for side in (-1, 1):
        figure.oval(side * 0.178, 0.63, 0.030, 0.052, darker(skin, 0.1 if side < 0 else 0.28))
    figure.shape(HEAD, skin, smooth=True)
    with figure.within(HEAD, smooth=True):
        figure.shape([(0.045, 0.95), (0.3, 0.95), (0.3, 0.3), (0.02, 0.38), (0.075, 0.48), (0.115, 0.60),
                      (0.10, 0.74)], darker(skin, 0.16), smooth=True)
        blush = mix(skin, rgb("#d8645a"), 0.10 + 0.18 * float(skin.mean()))
        figure.oval(-0.105, 0.560, 0.045, 0.030, blush)
        figure.oval(0.105, 0.560, 0.042, 0.030, darker(blush, 0.12))


def _face(figure: Figure, person: Person, look: Look) -> None:
    skin, line = person.skin, rgb("#2a1d1c")
    iris = rgb(("#4a6f8a", "#5a7a4a", "#5a3a24", "#3a2a20")[int(look.draws[7] * 4)])
    brow = darker(person.hair, 0.25) if float(person.hair.mean()) < 0.7 else darker(person.hair, 0.35)
    for side in (-1, 1):
        x, y = side * 0.077, 0.645
        almond: list[Point] = [(x - 0.040, y - 0.002), (x - 0.018, y + 0.018), (x + 0.014, y + 0.019), (x + 0.040, y),
                               (x + 0.015, y - 0.014), (x - 0.018, y - 0.014)]
        figure.shape(almond, "#f6f0ea", smooth=True)
        with figure.within(almond, smooth=True):
            figure.oval(x, y + 0.003, 0.0185, 0.0185, iris)
            figure.oval(x, y + 0.003, 0.009, 0.009, "#100c0e")
            figure.oval(x - 0.007, y + 0.010, 0.005, 0.005, "#ffffff")
        figure.stroke([(x - 0.042, y), (x - 0.018, y + 0.020), (x + 0.014, y + 0.021), (x + 0.042, y + 0.002)], 0.008,
                      line)
        figure.stroke([(x - side * 0.044, y + 0.048), (x, y + 0.062), (x + side * 0.046, y + 0.046)], 0.0135, brow)
    nose = darker(skin, 0.27)
    figure.stroke([(0.010, 0.665), (0.020, 0.595), (0.034, 0.560), (0.008, 0.545), (-0.012, 0.549)], 0.009, nose)
    if person.bearded:
        _beard(figure, person)
    lip = mix(darker(skin, 0.12), rgb("#b23a48"), 0.55 if person.long_hair else 0.28)
    smile = 0.010 + 0.012 * float(look.draws[8])
    figure.shape([(-0.054, 0.484 + smile), (-0.018, 0.496), (0.0, 0.490), (0.018, 0.496), (0.054, 0.484 + smile),
                  (0.022, 0.468), (-0.022, 0.468)], lip, smooth=True)
    figure.stroke([(-0.056, 0.485 + smile), (0.0, 0.481), (0.056, 0.485 + smile)], 0.006, darker(lip, 0.5))


def _beard(figure: Figure, person: Person) -> None:
    hair = person.hair
    outline: list[Point] = [(-0.172, 0.63), (-0.135, 0.55), (-0.07, 0.522), (0.0, 0.520), (0.07, 0.522), (0.135, 0.55),
                            (0.172, 0.63), (0.158, 0.49), (0.09, 0.375), (0.0, 0.335), (-0.09, 0.375), (-0.158, 0.49)]
    figure.shape(outline, hair, smooth=True)
    with figure.within(outline, smooth=True):
        figure.shape([(0.03, 0.7), (0.3, 0.7), (0.3, 0.3), (0.02, 0.3)], darker(hair, 0.25))


def _hair_behind(figure: Figure, person: Person) -> None:
    flow: list[Point] = [(0.0, 0.955), (-0.17, 0.91), (-0.245, 0.74), (-0.255, 0.52), (-0.285, 0.34), (-0.21, 0.22),
                         (0.0, 0.24), (0.21, 0.22), (0.285, 0.34), (0.255, 0.52), (0.245, 0.74), (0.17, 0.91)]
    figure.shape(flow, darker(person.hair, 0.3), smooth=True)


def _hair_front(figure: Figure, person: Person) -> None:
    hair = person.hair
    if person.long_hair:
        part = 0.05 if person.style == 0 else -0.045 if person.style == 1 else 0.0
        left: list[Point] = [(part, 0.945), (part - 0.03, 0.85), (-0.135, 0.765), (-0.175, 0.62), (-0.205, 0.42),
                             (-0.275, 0.31), (-0.265, 0.52), (-0.245, 0.75), (-0.17, 0.905), (-0.06, 0.95)]
        right: list[Point] = [(part, 0.945), (part + 0.03, 0.85), (0.135, 0.765), (0.175, 0.62), (0.205, 0.42),
                              (0.275, 0.31), (0.265, 0.52), (0.245, 0.75), (0.17, 0.905), (0.06, 0.95)]
        figure.shape(left, hair, smooth=True)
        figure.shape(right, darker(hair, 0.2), smooth=True)
        for at in (0.25, 0.5, 0.75):
            figure.stroke([(part - 0.03 - 0.12 * at, 0.94 - 0.03 * at), (-0.16 - 0.05 * at, 0.74),
                           (-0.20 - 0.05 * at, 0.50)], 0.006, lighter(hair, 0.16))
        return
    top = 0.965 if person.style == 0 else 0.945
    crop: list[Point] = [(-0.187, 0.66), (-0.205, 0.78), (-0.155, 0.91), (0.0, top), (0.155, 0.91), (0.205, 0.78),
                         (0.187, 0.66), (0.172, 0.755), (0.12, 0.815), (0.0, 0.80 + 0.03 * person.style), (-0.10,
                             0.83), (-0.168, 0.76)]
    figure.shape(crop, hair, smooth=True)
    with figure.within(crop, smooth=True):
        figure.shape([(0.05, 1.0), (0.3, 1.0), (0.3, 0.6), (0.10, 0.6)], darker(hair, 0.2))
        for x in np.linspace(-0.14, 0.06, 4):
            figure.stroke([(x, 0.80), (x * 0.8 + 0.01, 0.87), (x * 0.5 + 0.02, 0.94)], 0.006, lighter(hair, 0.07))
