"""Dune seas: long crests that wander, a gentle flank to the wind and a steep one in its lee."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, turned
from safelight.providers.procedural.materials import SAND, SNOW
from safelight.providers.procedural.noise import smoothstep
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.terrain import colours, light_on, look, project

WINDWARD = 0.72
"""Share of a dune's width that rises gently; the rest falls steeply."""


def paint_dunes(canvas: Canvas, scene: Scene) -> None:
    """Two trains of dunes across each other, rippled sand in the foreground."""
    rng = scene.rng("dunes")
    at_u, at_v, size, tone, first, second = rng.random(6).tolist()
    view = look(canvas, 0.42, 5.0, 340)
    side = 1.0 if scene.sun_x > 0.5 else -1.0
    soft = noise.texture(0.22)
    warp = noise.sample(view.x * 0.13 + at_u, view.z * 0.13 + at_v, soft) - 0.5
    swell = noise.sample(view.x * 0.07 + at_v, view.z * 0.07 + at_u, soft)
    large = _train(view.x * side, view.z, (0.62 + 0.25 * size, 0.45 + 0.3 * first), warp * 2.4, at_u * 9)
    small = _train(view.x * side, view.z, (1.5 + 0.4 * size, -0.5 + 0.5 * second), warp * 3.1, at_v * 9)
    heights = 0.30 * large * smoothstep(0.15, 0.75, swell) + 0.06 * small * (1 - 0.7 * large)
    heights = heights * (0.25 + 0.75 * smoothstep(0.4, 1.5, view.z))
    lit = smoothstep(0.30, 0.74, light_on(scene, heights, view, 1.7))
    ripples = np.sin((view.z * 2.2 + view.x * 0.5 * side + warp * 3.5) * 55.0) * (1 - smoothstep(0.45, 1.6, view.z))
    lit = np.clip(lit + ripples * 0.07 * (0.4 + lit), 0, 1)
    sand = SNOW if scene.snowy else turned(SAND, float((tone - 0.5) * 22))
    planes = colours(scene, [(sand, np.ones_like(lit))], lit, view.depth * 0.8)
    project(canvas, heights, view, planes, 0.34, canvas.height * scene.horizon)


def _train(x: Array, z: Array, heading: tuple[float, float], warp: Array, start: float) -> Array:
    """Dune after dune along a heading (across, away), 0 in the troughs to 1 on the crests."""
    phase = x * heading[0] * 0.8 + z * heading[1] + warp + start
    place = phase - np.floor(phase)
    rise = np.clip(place / WINDWARD, 0, 1)
    fall = np.clip((1 - place) / (1 - WINDWARD), 0, 1)
    return np.asarray(np.minimum(rise * rise * (3 - 2 * rise), fall))
