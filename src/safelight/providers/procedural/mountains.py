"""Mountain ranges, as terrain with depth."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array
from safelight.providers.procedural.materials import GRASS, ROCK, SNOW
from safelight.providers.procedural.noise import smoothstep
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.terrain import View, colours, light_on, look, project


def paint_mountains(canvas: Canvas, scene: Scene, height: float = 1.0) -> None:
    """A range across the picture, with one valley left open toward the sun."""
    rng = scene.rng("mountains")
    at_u, at_v, scale, snow, open_at = rng.random(5).tolist()
    view = look(canvas, 1.2, 5.0, 320, share_far=0.9)
    size = 0.15 + 0.05 * scale
    heights = noise.sample(view.x * size + at_u, view.z * size + at_v, noise.ridges())
    valley = _valley(view, (scene.sun_x - 0.5) * 0.8 + (open_at - 0.5) * 0.2)
    heights = np.asarray(heights * valley * smoothstep(1.2, 2.6, view.z) * (0.62 + 0.1 * view.z) * height, np.float32)
    lit = smoothstep(0.2, 0.85, light_on(scene, heights, view, 1.5))
    line = -0.2 if scene.snowy else (0.30 + 0.25 * snow) * height
    patch = noise.sample(view.x * 0.9 + at_v, view.z * 0.9 + at_u)
    white = smoothstep(line, line + 0.08, heights + (patch - 0.5) * 0.3)
    green = smoothstep(0.24, 0.08, heights + (patch - 0.5) * 0.2)
    surfaces = [(ROCK, np.ones_like(lit)), (GRASS, green), (SNOW, white)]
    project(canvas, heights, view, colours(scene, surfaces, lit, view.depth), 0.12, canvas.height * scene.horizon)


def _valley(view: View, at: float) -> Array:
    """A factor that flattens the near land around one direction."""
    aside = (view.x / view.z - at) / 0.13
    return np.asarray(1 - 0.75 * np.exp(-(aside**2)) * smoothstep(5.0, 1.6, view.z), np.float32)
