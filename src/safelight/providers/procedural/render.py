"""A Scene becomes a picture, stage by stage; each stage can be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from safelight.providers.procedural import light, places, weather
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.scene import Scene


@dataclass(frozen=True, slots=True)
class Stage:
    """One finished step: `progress` 0..1, and the canvas as it is until the next step goes on."""

    name: str
    progress: float
    canvas: Canvas


def render(scene: Scene, width: int, height: int) -> Iterator[Stage]:
    """Paint from far to near, then light and finish. The last stage's canvas is the picture."""
    canvas = Canvas(width, height)
    steps = places.steps_for(scene)
    for done, (name, step) in enumerate(steps, 1):
        step(canvas, scene)
        yield Stage(name, 0.8 * done / len(steps), canvas)
    light.scatter_sunlight(canvas, scene)
    weather.paint_weather(canvas, scene)
    light.bloom(canvas)
    yield Stage("light", 0.9, canvas)
    light.finish(canvas, scene)
    yield Stage("finish", 1.0, canvas)
