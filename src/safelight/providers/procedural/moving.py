"""How things move in a film: the camera, what floats, what breathes, and the light of the day as it goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from safelight.providers.procedural.colour import Array, mix
from safelight.providers.procedural.palette import Palette, palette_for
from safelight.providers.procedural.scene import Scene

NEARNESS = {"far": 0.25, "walls": 0.2, "middle": 0.5, "subject": 0.72, "near": 1.0, "people": 0.8}
"""How much of the camera's way each step of a picture goes along with; the sky stays where it is."""
WAY = 0.034
"""The camera's way from side to side, in units."""
NEXT_TIME = {"dawn": "morning", "morning": "noon", "sunset": "dusk", "dusk": "night"}
SINKS_PER_S = {"dawn": -0.006, "morning": -0.002, "sunset": 0.008, "dusk": 0.004}
"""Shares of the picture's height by which the sun goes down."""
MOST_TURNED = 0.35
TURNS_IN_S = 12.0
AFLOAT, ALOFT = {"sailboat", "whale"}, {"balloon", "bird", "butterfly", "dragon", "rocket"}
GOES = {"car": -0.035, "bird": 0.03, "dragon": 0.025, "balloon": 0.012, "sailboat": 0.012, "butterfly": 0.01}
"""Units a second that something goes by itself, to the right as it is drawn; in a mirrored scene the other way."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A moment of a film of `length_s`."""

    at_s: float
    length_s: float

    @property
    def way(self) -> float:
        """-0.5 to 0.5: how far the camera is on its way, gently begun and ended."""
        share = min(1.0, self.at_s / self.length_s)
        return float(0.85 * (share * share * (3 - 2 * share)) + 0.15 * share - 0.5)


def moved(name: str, scene: Scene, clock: Clock) -> tuple[float, float]:
    """By how many units a step's layer is moved at a moment."""
    aside = WAY * NEARNESS.get(name, 0.0) * clock.way * (1 if scene.mirrored else -1)
    if name not in ("subject", "people") or not scene.subjects:
        return aside, 0.0
    dx, dy = _by_itself(scene.subjects[0], clock)
    return aside + dx * (-1 if scene.mirrored else 1), dy


def _by_itself(subject: str, clock: Clock) -> tuple[float, float]:
    beat = 2 * np.pi * clock.at_s
    goes = GOES.get(subject, 0.0) * (clock.at_s - clock.length_s / 2)
    if subject in AFLOAT:
        return goes, float(0.006 * np.sin(beat / 2.9))
    if subject in ALOFT:
        return goes, float(0.010 * np.sin(beat / 3.3) + 0.003 * np.sin(beat / 1.3))
    if subject == "car":
        return goes, float(0.0012 * np.sin(beat / 0.5))
    return goes, float(0.0022 * np.sin(beat / 3.8))


def swelled(layer: int, clock: Clock) -> tuple[float, float]:
    """How a storm's wave heaves: the nearer, the more."""
    beat = 2 * np.pi * clock.at_s / (2.4 + 0.35 * layer) + 1.9 * layer
    size = 0.006 + 0.004 * layer
    return float(2.2 * size * np.sin(beat)), float(size * np.cos(beat))


def later(scene: Scene, at_s: float) -> Scene:
    """The scene as it is then: the sun has moved, and the day with it."""
    sun_y = scene.sun_y + SINKS_PER_S.get(scene.time, 0.0) * at_s
    return replace(scene, at_s=at_s, sun_y=sun_y, palette=_turned(scene, at_s))


def _turned(scene: Scene, at_s: float) -> Palette:
    """The palette on its way to that of the next time of day."""
    time = NEXT_TIME.get(scene.time)
    if time is None or at_s == 0:
        return scene.palette
    now, reading, share = scene.palette, scene.reading, min(MOST_TURNED, at_s / TURNS_IN_S)
    then = palette_for(time, scene.weather, reading.tints, reading.style, 0.0, 0.0)
    sky = [mix(a, b, share) for a, b in zip(now.sky, then.sky, strict=True)]
    return replace(
        now,
        sky=(sky[0], sky[1], sky[2], sky[3]),
        glow=mix(now.glow, then.glow, share),
        light=np.asarray(now.light + share * (then.light - now.light), np.float32),
        shade=np.asarray(now.shade + share * (then.shade - now.shade), np.float32),
        haze=mix(now.haze, then.haze, share),
        stars=now.stars + share * (then.stars - now.stars),
    )


def daylight(before: Palette, now: Palette) -> Array:
    """How much brighter or darker, per colour, what stands in the light has become."""
    return np.asarray((now.light + now.shade) / np.maximum(before.light + before.shade, 0.05), np.float32)
