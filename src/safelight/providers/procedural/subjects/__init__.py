"""The subjects that can stand in a picture, and where and how large each is set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.figure import Figure
from safelight.providers.procedural.placing import cast_beam, drop_shadow, mirror, place
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.subjects import (
    animals,
    buildings,
    castle,
    monk,
    plants,
    portrait,
    vehicles,
    wild,
    winged,
)
from safelight.providers.procedural.subjects.look import Look, look_at


@dataclass(frozen=True)
class Setting:
    """How a subject is set: its height in units, its foot's height in the picture, its widths, its distance."""

    draw: Callable[[Figure, Look], None]
    size: float
    foot: float
    """Share of the way from the horizon (0) to the lower edge (1); negative floats above it."""
    across: float = 1.4
    distance: float = 0.0
    afloat: bool = False
    shadow: float = 0.3
    """Half the shadow's width, in heights of the subject; 0 casts none."""
    beam: float = 0.0
    """Height of a lamp that throws a beam, in heights of the subject; 0 has none."""


CENTRED = {"studio", "cloister"}
SETTINGS = {
    "monk": Setting(monk.monk, 0.80, 0.80, 0.9, shadow=0.3),
    "portrait": Setting(portrait.portrait, 0.82, 1.0, 1.3, shadow=0.0),
    "castle": Setting(castle.castle, 0.66, 0.62, 1.6, 0.12, shadow=0.0),
    "lighthouse": Setting(buildings.lighthouse, 0.62, 0.50, 1.3, 0.04, shadow=0.0, beam=0.865),
    "house": Setting(buildings.house, 0.38, 0.58, 1.4, 0.03, shadow=0.6),
    "windmill": Setting(buildings.windmill, 0.58, 0.50, 1.3, 0.05, shadow=0.3),
    "tent": Setting(buildings.tent, 0.30, 0.75, 1.7, 0.0, shadow=0.6),
    "car": Setting(vehicles.car, 0.30, 0.62, 2.9, 0.0, shadow=1.45),
    "sailboat": Setting(vehicles.sailboat, 0.44, 0.30, 1.1, 0.03, afloat=True),
    "balloon": Setting(vehicles.balloon, 0.46, 0.05, 1.0, 0.04, shadow=0.0),
    "rocket": Setting(vehicles.rocket, 0.6, 0.1, 0.9, 0.0, shadow=0.0),
    "cat": Setting(animals.cat, 0.62, 0.86, 1.4, shadow=0.36),
    "dog": Setting(animals.dog, 0.62, 0.86, 1.4, shadow=0.36),
    "deer": Setting(wild.deer, 0.60, 0.80, 1.3, shadow=0.3),
    "owl": Setting(winged.owl, 0.56, 0.50, 1.4, shadow=0.0),
    "bird": Setting(winged.birds, 0.62, 0.1, 1.8, 0.05, shadow=0.0),
    "horse": Setting(wild.horse, 0.56, 0.72, 1.4, shadow=0.4),
    "whale": Setting(wild.whale, 0.46, 0.42, 1.4, 0.05, afloat=True),
    "butterfly": Setting(winged.butterfly, 0.52, 0.30, 1.3, shadow=0.0),
    "dragon": Setting(winged.dragon, 0.66, 0.1, 2.0, 0.05, shadow=0.0),
    "tree": Setting(plants.tree, 0.72, 0.60, 1.3, 0.02, shadow=0.42),
    "palm": Setting(plants.palm, 0.70, 0.86, 1.4, shadow=0.2),
    "cactus": Setting(plants.cactus, 0.56, 0.72, 0.8, shadow=0.22),
    "flower": Setting(plants.flower, 0.84, 1.0, 0.9, shadow=0.0),
    "fox": Setting(animals.fox, 0.58, 0.84, 1.5, shadow=0.36),
}


def paint_subject(canvas: Canvas, scene: Scene) -> None:
    """Draw the scene's subjects into what is there, except people, who stand before everything."""
    _paint(canvas, scene, [name for name in scene.subjects if name != "portrait"])


def paint_people(canvas: Canvas, scene: Scene) -> None:
    """Draw the portrait, if there is one."""
    _paint(canvas, scene, [name for name in scene.subjects if name == "portrait"])


def _paint(canvas: Canvas, scene: Scene, names: list[str]) -> None:
    """One subject stands where the scene says; two stand across from each other, the one behind first."""
    order = sorted(scene.subjects, key=lambda name: (name == "portrait", SETTINGS[name].foot))
    for name in (name for name in order if name in names):
        if len(order) == 1:
            _set(canvas, scene, SETTINGS[name], 0.5 if scene.place in CENTRED else scene.subject_x, 1.0)
            continue
        side = (1 if name == order[0] else -1) * (-1 if scene.mirrored else 1)
        apart = 0.27 if "portrait" in order else 1.35 * abs(scene.subject_x - 0.5)
        _set(canvas, scene, SETTINGS[name], 0.5 - side * apart, 0.88)


def _set(canvas: Canvas, scene: Scene, setting: Setting, across: float, scale: float) -> None:
    size = setting.size * scale * scene.subject_size * canvas.unit
    figure = Figure(size, setting.across, flip=across < 0.5)
    look = look_at(scene)
    setting.draw(figure, look)
    whole = 0.48 if setting.foot < 1 else 0.34  # what is cut off below may be cut off at the side
    x = _kept_inside(across * canvas.width, size * setting.across * whole, canvas.width)
    y = max(canvas.height * (scene.horizon + setting.foot * (1 - scene.horizon)), size * 1.06 + 0.04 * canvas.height)
    if setting.afloat:
        mirror(canvas, scene, figure, x, y)
    elif setting.shadow:
        drop_shadow(canvas, scene, x, y, size * setting.shadow, size * 0.05)
    if setting.beam and look.lamps_lit:
        cast_beam(canvas, scene, x, y - setting.beam * size)
    place(canvas, scene, figure, x, y, setting.distance, indoors=scene.place in ("studio", "space"))


def _kept_inside(x: float, half: float, width: int) -> float:
    """As far to the side as the subject's own width allows."""
    return width / 2 if 2 * half >= width else min(max(x, half), width - half)
