"""Cat, dog, fox: sitting, seen from the front."""

from __future__ import annotations

from safelight.providers.procedural.colour import Array, mix, rgb
from safelight.providers.procedural.figure import Figure, Point, darker, lighter
from safelight.providers.procedural.subjects.look import Look

# A drawing: its points stay in rows.
# fmt: off

BODY: list[Point] = [(-0.20, 0.0), (-0.26, 0.10), (-0.235, 0.26), (-0.16, 0.44), (-0.12, 0.58), (0.12, 0.58),
                     (0.16, 0.44), (0.235, 0.26), (0.26, 0.10), (0.20, 0.0)]


def cat(figure: Figure, look: Look) -> None:
    """Sitting upright, tail around its feet."""
    fur = look.colour_or("#e08a3c", "#8d8a8c", "#2b2a30", "#f0e9de", "#a87f58")
    dark_fur = float(fur.mean()) < 0.25
    belly = lighter(fur, 0.55) if not dark_fur else fur
    stripe = darker(fur, 0.35) if not dark_fur else lighter(fur, 0.08)
    striped = look.draws[0] < 0.6 and float(fur.mean()) < 0.8
    figure.stroke([(0.16, 0.06), (0.34, 0.05), (0.42, 0.14), (0.40, 0.28), (0.46, 0.36)], 0.065, darker(fur, 0.12))
    if striped:
        for x, y in ((0.36, 0.06), (0.42, 0.16), (0.40, 0.27)):
            figure.stroke([(x - 0.03, y + 0.015), (x + 0.03, y - 0.005)], 0.018, stripe, smooth=False)
    _torso(figure, fur, belly)
    if striped:
        with figure.within(BODY, smooth=True):
            for at, y in enumerate((0.18, 0.26, 0.34, 0.42)):
                for side in (-1, 1):
                    figure.shape([(side * 0.28, y + 0.03), (side * (0.13 - 0.01 * at), y), (side * 0.28, y - 0.015)],
                                 stripe)
    _front_legs(figure, fur, belly)
    _cat_head(figure, fur, belly, stripe, striped, look)


def _torso(figure: Figure, fur: Array, belly: Array) -> None:
    figure.shape(BODY, fur, smooth=True)
    with figure.within(BODY, smooth=True):
        figure.shape([(0.10, 0.0), (0.3, 0.0), (0.3, 0.6), (0.10, 0.6), (0.16, 0.3)], darker(fur, 0.22), smooth=True)
        figure.oval(0.0, 0.40, 0.085, 0.19, belly)
    for side in (-1, 1):
        figure.oval(side * 0.17, 0.095, 0.10, 0.105, darker(fur, 0.05 if side < 0 else 0.26))
        figure.oval(side * 0.17, 0.022, 0.085, 0.032, belly if side < 0 else darker(belly, 0.15))


def _front_legs(figure: Figure, fur: Array, belly: Array) -> None:
    for side in (-1, 1):
        figure.shape([(side * 0.095, 0.33), (side * 0.10, 0.10), (side * 0.105, 0.015), (side * 0.02, 0.015),
                      (side * 0.015, 0.10), (side * 0.012, 0.30)], lighter(fur, 0.07) if side < 0 else darker(fur,
                          0.1), smooth=True)
        figure.oval(side * 0.062, 0.024, 0.056, 0.036, belly)
        for toe in (-0.02, 0.02):
            figure.stroke([(side * 0.062 + toe, 0.004), (side * 0.062 + toe, 0.028)], 0.006, darker(belly, 0.3),
                          smooth=False)


def _cat_head(figure: Figure, fur: Array, belly: Array, stripe: Array, striped: bool, look: Look) -> None:
    middle = 0.70
    for side in (-1, 1):
        figure.shape([(side * 0.205, middle + 0.05), (side * 0.215, middle + 0.255), (side * 0.065, middle + 0.155)],
                     fur if side < 0 else darker(fur, 0.15))
        figure.shape([(side * 0.18, middle + 0.09), (side * 0.19, middle + 0.21), (side * 0.095, middle + 0.15)],
                     mix(fur, rgb("#e8a0a0"), 0.6))
    head: list[Point] = [(0.0, middle + 0.175), (-0.13, middle + 0.155), (-0.215, middle + 0.05),
                         (-0.225, middle - 0.04), (-0.15, middle - 0.13), (0.0, middle - 0.165), (0.15,
                             middle - 0.13), (0.225, middle - 0.04), (0.215, middle + 0.05), (0.13, middle + 0.155)]
    figure.shape(head, fur, smooth=True)
    with figure.within(head, smooth=True):
        figure.shape([(0.13, middle + 0.3), (0.3, middle + 0.3), (0.3, middle - 0.3), (0.06, middle - 0.2),
                      (0.19, middle - 0.05)], darker(fur, 0.16), smooth=True)
        if striped:
            for x in (-0.055, 0.0, 0.055):
                figure.shape([(x - 0.017, middle + 0.2), (x + 0.017, middle + 0.2), (x * 0.8, middle + 0.085)], stripe)
            for side in (-1, 1):
                for y in (0.0, -0.055):
                    figure.shape([(side * 0.25, middle + y + 0.02), (side * 0.25, middle + y - 0.012),
                                  (side * 0.165, middle + y - 0.01)], stripe)
    for side in (-1, 1):
        figure.oval(side * 0.045, middle - 0.085, 0.062, 0.05, belly)
    eye = ("#8fc95a", "#e8b83a", "#5ab0d0")[int(look.draws[1] * 3)]
    for side in (-1, 1):
        x, y = side * 0.092, middle + 0.012
        figure.oval(x, y, 0.052, 0.047, "#17151a")
        figure.oval(x, y, 0.045, 0.041, eye)
        figure.oval(x, y, 0.017, 0.038, "#0d0c10")
        figure.oval(x - 0.015, y + 0.016, 0.011, 0.011, "#ffffff")
    if look.scene.dark:
        with figure.shining():
            for side in (-1, 1):
                figure.oval(side * 0.092, middle + 0.012, 0.030, 0.030, eye)
        with figure.shining():
            for side in (-1, 1):
                figure.oval(side * 0.092, middle + 0.012, 0.011, 0.03, "#0d0c10")
    figure.shape([(-0.024, middle - 0.055), (0.024, middle - 0.055), (0.0, middle - 0.083)], "#d9777a")
    figure.stroke([(0.0, middle - 0.083), (0.0, middle - 0.102)], 0.006, "#3a2a2c", smooth=False)
    for side in (-1, 1):
        figure.stroke([(0.0, middle - 0.102), (side * 0.022, middle - 0.116), (side * 0.046, middle - 0.106)], 0.006,
                      "#3a2a2c")
        for y in (-0.072, -0.092, -0.112):
            figure.stroke([(side * 0.075, middle + y), (side * 0.30, middle + y * 1.6 + 0.075)], 0.0035,
                          lighter(fur, 0.6), smooth=False)


def dog(figure: Figure, look: Look) -> None:
    """Sitting upright, ears down, tongue out."""
    fur = look.colour_or("#c08a4e", "#7a5238", "#e2cfae", "#3a3438", "#d8d2c8")
    belly, ear = lighter(fur, 0.5), darker(fur, 0.3)
    figure.stroke([(0.17, 0.08), (0.36, 0.12), (0.43, 0.28)], 0.06, darker(fur, 0.1))
    _torso(figure, fur, belly)
    _front_legs(figure, fur, belly)
    figure.box(-0.115, 0.545, 0.115, 0.578, "#c8362e")
    figure.oval(0.0, 0.535, 0.025, 0.025, "#f0c34a")
    middle = 0.74
    head: list[Point] = [(0.0, middle + 0.17), (-0.13, middle + 0.14), (-0.165, middle), (-0.135, middle - 0.12),
                         (0.0, middle - 0.18), (0.135, middle - 0.12), (0.165, middle), (0.13, middle + 0.14)]
    figure.shape(head, fur, smooth=True)
    with figure.within(head, smooth=True):
        figure.shape([(0.09, middle + 0.3), (0.3, middle + 0.3), (0.3, middle - 0.3), (0.06, middle - 0.2),
                      (0.13, middle)], darker(fur, 0.15), smooth=True)
        figure.shape([(-0.03, middle + 0.2), (0.03, middle + 0.2), (0.045, middle - 0.05), (-0.045, middle - 0.05)],
                     belly, smooth=True)
    for side in (-1, 1):
        figure.shape([(side * 0.10, middle + 0.145), (side * 0.20, middle + 0.12), (side * 0.245, middle - 0.03),
                      (side * 0.20, middle - 0.13), (side * 0.155, middle - 0.04)], ear if side < 0 else darker(ear,
                          0.2), smooth=True)
    figure.shape([(-0.035, middle - 0.14), (0.035, middle - 0.14), (0.032, middle - 0.22), (0.0, middle - 0.245),
                  (-0.032, middle - 0.22)], "#e2717c", smooth=True)
    figure.oval(0.0, middle - 0.085, 0.098, 0.082, belly)
    figure.shape([(-0.046, middle - 0.035), (0.046, middle - 0.035), (0.03, middle - 0.075), (0.0, middle - 0.088),
                  (-0.03, middle - 0.075)], "#1d191c", smooth=True)
    figure.oval(-0.014, middle - 0.048, 0.012, 0.007, "#6a666c")
    for side in (-1, 1):
        figure.stroke([(0.0, middle - 0.088), (side * 0.03, middle - 0.135), (side * 0.075, middle - 0.122)], 0.008,
                      "#2a2024")
        figure.oval(side * 0.068, middle + 0.032, 0.027, 0.031, "#1d191c")
        figure.oval(side * 0.068 - 0.008, middle + 0.043, 0.009, 0.009, "#ffffff")
        figure.stroke([(side * 0.04, middle + 0.085), (side * 0.095, middle + 0.088)], 0.014, darker(fur, 0.25),
                      smooth=False)


def fox(figure: Figure, look: Look) -> None:
    """A fox, or a wolf: pointed ears, white cheeks, a brush of a tail."""
    wolf = look.says("wolf", "wolves")
    fur = look.colour_or("#7d8088", "#6a6d76") if wolf else look.colour_or("#d9692a", "#e07a32")
    white = rgb("#f4ece0")
    figure.shape([(0.12, 0.02), (0.34, 0.0), (0.52, 0.10), (0.54, 0.28), (0.45, 0.42), (0.40, 0.30), (0.33, 0.18),
                  (0.18, 0.13)], darker(fur, 0.08), smooth=True)
    with figure.within([(0.38, 0.26), (0.6, 0.22), (0.6, 0.5), (0.4, 0.5)]), figure.on_body():
        figure.shape([(0.40, 0.30), (0.47, 0.27), (0.56, 0.30), (0.45, 0.43)], white)
    _torso(figure, fur, white)
    _front_legs(figure, fur, darker(rgb("#3a2a28"), 0.1) if not wolf else white)
    middle = 0.70
    for side in (-1, 1):
        figure.shape([(side * 0.20, middle + 0.04), (side * 0.195, middle + 0.30), (side * 0.05, middle + 0.13)],
                     fur if side < 0 else darker(fur, 0.15))
        figure.shape([(side * 0.165, middle + 0.12), (side * 0.175, middle + 0.25), (side * 0.09, middle + 0.15)],
                     "#2c2226")
    head: list[Point] = [(0.0, middle + 0.15), (-0.15, middle + 0.11), (-0.27, middle - 0.05), (-0.27, middle - 0.05),
                         (-0.12, middle - 0.115), (0.0, middle - 0.21), (0.12, middle - 0.115), (0.27,
                             middle - 0.05), (0.27, middle - 0.05), (0.15, middle + 0.11)]
    figure.shape(head, fur, smooth=True)
    with figure.within(head, smooth=True):
        for side in (-1, 1):
            figure.shape([(side * 0.035, middle - 0.25), (side * 0.025, middle - 0.05), (side * 0.12, middle - 0.01),
                          (side * 0.30, middle - 0.02), (side * 0.25,
                                                         middle - 0.25)], white if side < 0 else darker(white,
                                                             0.14), smooth=True)
        figure.shape([(0.02, middle + 0.2), (0.3, middle + 0.2), (0.3, middle), (0.12, middle + 0.0)],
                     darker(fur, 0.14))
    figure.oval(0.0, middle - 0.185, 0.032, 0.025, "#1b171a")
    for side in (-1, 1):
        figure.oval(side * 0.095, middle + 0.015, 0.030, 0.026, "#1b171a")
        figure.oval(side * 0.095, middle + 0.015, 0.022, 0.020, "#e8a83a")
        figure.oval(side * 0.095, middle + 0.015, 0.009, 0.019, "#1b171a")
        figure.oval(side * 0.095 - 0.008, middle + 0.024, 0.006, 0.006, "#ffffff")
