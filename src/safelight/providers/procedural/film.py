"""A Scene in motion: the picture's own steps, painted once where they stand still and anew where they move.

Most steps are layers that only shift with the camera. What moves slowly (clouds, a planet) is painted a few times a
second and faded from one to the next; water, rain and snow are painted for every frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from safelight.providers.procedural import light, places, water
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array
from safelight.providers.procedural.layers import Layer, recorded
from safelight.providers.procedural.motes import float_motes
from safelight.providers.procedural.moving import Clock, daylight, later, moved, swelled
from safelight.providers.procedural.places import Step
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.weather import paint_weather

Frame: TypeAlias = NDArray[np.uint8]
MARGIN = 1.09
"""The canvas is larger than the film, so that the camera has room."""
ZOOM = 0.05
SLOW_EVERY_S = 0.25
SLOW = {"sky", "ground", "rays"}
ONE = np.ones(3, np.float32)


@dataclass(frozen=True, slots=True)
class Moment:
    clock: Clock
    scene: Scene
    """As it is now."""
    first: Scene
    """As it was in the first frame."""

    @property
    def gain(self) -> Array:
        return daylight(self.first.palette, self.scene.palette)


Part = Callable[[Canvas, Moment], None]


def _go_on() -> None:
    """Nobody minds."""


def frames(
    scene: Scene, width: int, height: int, fps: int, length_s: float, check: Callable[[], None] = _go_on
) -> Iterator[Frame]:
    """Every frame of the film, (height, width, 3). `check` is called often, and may raise to end the work."""
    size = round(width * MARGIN), round(height * MARGIN)
    kept: dict[str, Any] = {}
    blank = Canvas(*size)
    parts: list[Part] = []
    for part in _parts(scene, blank):
        check()
        parts.append(part)
    for number in range(round(fps * length_s)):
        clock = Clock(number / fps, length_s)
        moment = Moment(clock, later(scene, clock.at_s), scene)
        canvas = Canvas(*size, kept)
        for part in parts:
            part(canvas, moment)
            check()
        light.bloom(canvas, coarse=2)
        light.finish(canvas, scene, grainy=False)
        yield _seen(canvas.image(), clock, width, height)


def _parts(scene: Scene, blank: Canvas) -> Iterator[Part]:
    """The picture's steps from far to near, each in its way of moving."""
    for name, step in places.steps_for(scene):
        if name == "water":
            yield from _watery(scene, blank, step)
        elif name in SLOW or (scene.place == "space" and name == "far"):
            yield Slow(step, blank)
        else:
            yield _Still(name, recorded(step, scene, blank))
    if scene.place not in light.WITHOUT_SUN:
        yield _Still("light", recorded(light.scatter_sunlight, scene, blank))
    yield lambda canvas, moment: float_motes(canvas, moment.scene)
    yield lambda canvas, moment: paint_weather(canvas, moment.scene)


def _watery(scene: Scene, blank: Canvas, step: Step) -> Iterator[Part]:
    """Water is painted anew, as it mirrors what moves; a storm's swells heave as they are."""
    stormy = scene.place in ("ocean", "coast") and scene.weather == "storm"
    painted = places.open_water if stormy else step
    yield lambda canvas, moment: painted(canvas, moment.scene)
    if stormy:
        for layer in range(water.SWELLS):
            yield _Swell(layer, recorded(_one_swell(layer), scene, blank))


def _one_swell(layer: int) -> Step:
    return lambda canvas, scene: water.paint_one_swell(canvas, scene, layer)


@dataclass(frozen=True)
class _Still:
    name: str
    layer: Layer

    def __call__(self, canvas: Canvas, moment: Moment) -> None:
        dx, dy = moved(self.name, moment.scene, moment.clock)
        self.layer.lay(canvas, dx * canvas.unit, dy * canvas.unit, moment.gain if self.name != "people" else ONE)


@dataclass(frozen=True)
class _Swell:
    number: int
    layer: Layer

    def __call__(self, canvas: Canvas, moment: Moment) -> None:
        dx, dy = swelled(self.number, moment.clock)
        self.layer.lay(canvas, dx * canvas.unit, dy * canvas.unit, moment.gain)


class Slow:
    """Painted every SLOW_EVERY_S, and faded from one painting to the next."""

    def __init__(self, step: Step, blank: Canvas) -> None:
        self._step, self._blank = step, blank
        self._painted: dict[int, Layer] = {}

    def __call__(self, canvas: Canvas, moment: Moment) -> None:
        beats = moment.clock.at_s / SLOW_EVERY_S
        before = int(beats)
        share = np.float32(beats - before)
        one = self._at(before, moment)
        if share < 0.01:
            one.lay(canvas, 0, 0, ONE)
            return
        other = self._at(before + 1, moment)
        Layer(one.through + share * (other.through - one.through), one.own + share * (other.own - one.own), 0, 0).lay(
            canvas, 0, 0, ONE
        )

    def _at(self, beat: int, moment: Moment) -> Layer:
        if beat not in self._painted:
            for old in [number for number in self._painted if number < beat - 1]:
                del self._painted[old]
            self._painted[beat] = recorded(self._step, later(moment.first, beat * SLOW_EVERY_S), self._blank, cut=False)
        return self._painted[beat]


def _seen(image: Image.Image, clock: Clock, width: int, height: int) -> Frame:
    """What the camera sees of the canvas: it comes a little nearer as the film goes on."""
    share = 1 / MARGIN * (1 - ZOOM * (clock.way + 0.5))
    wide, high = image.width * share, image.height * share
    left, top = (image.width - wide) / 2, (image.height - high) * 0.5
    box = (left, top, left + wide, top + high)
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC, box), np.uint8)
