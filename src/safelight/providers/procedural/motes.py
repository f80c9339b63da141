"""What floats in the air of a film: dust in a beam of light, pollen over a meadow, fireflies at night."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.celestial import splat
from safelight.providers.procedural.colour import mix, rgb
from safelight.providers.procedural.scene import Scene

PLACES = {"forest": 70, "meadow": 45, "cloister": 60, "studio": 26, "desert": 34, "river": 30}
DRY = {"fair", "clear", "cloud", "fog", "aurora"}


def float_motes(canvas: Canvas, scene: Scene) -> None:
    """Nothing in places and weathers that have none."""
    number = PLACES.get(scene.place, 0)
    if not number or scene.weather not in DRY:
        return
    x, y, size, beat, drift = scene.rng("motes").random((number, 5)).T
    turn = (0.7 + beat) * scene.at_s + 6.28 * drift
    across = (x + 0.012 * np.sin(turn) + 0.010 * (drift - 0.3) * scene.at_s) % 1.0
    up = (y - 0.018 * (0.3 + size) * scene.at_s + 0.006 * np.cos(turn * 1.3)) % 1.0
    glow = 0.5 + 0.5 * np.sin(turn * 1.7 + 6.28 * beat)
    night = scene.time == "night" and scene.place in ("forest", "meadow", "river")
    bright = (0.75 if night else 0.22) * glow**2 * (0.4 + 0.6 * size)
    radius = np.maximum(canvas.unit * (0.0010 + 0.0016 * size), 0.6)
    colour = rgb("#e8ff9a") if night else mix(scene.palette.glow, rgb("#ffffff"), 0.35)
    canvas.shine(np.minimum(splat(canvas, across, up, bright, radius), 0.9), colour)
