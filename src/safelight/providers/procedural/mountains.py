"""Mountain ranges, dune seas and rolling hills, as terrain with depth."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, rgb, turned
from safelight.providers.procedural.noise import smoothstep
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.terrain import View, colours, light_on, look, project

ROCK, SNOW, GRASS = rgb("#837d80"), rgb("#f5f8fc"), rgb("#86a653")
SAND, FIELD, WHEAT, LAVENDER = rgb("#e8b878"), rgb("#5f9a48"), rgb("#d9bd62"), rgb("#9277c4")


def paint_mountains(canvas: Canvas, scene: Scene, height: float = 1.0) -> None:
    """A range across the picture, with one valley left open toward the sun."""
    rng = scene.rng("mountains")
    at_u, at_v, scale, snow, open_at = rng.random(5)
    view = look(canvas, 1.2, 5.0, 260)
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


def paint_dunes(canvas: Canvas, scene: Scene) -> None:
    """Sand with sinuous, sharp crests: one flank in the light, the other in shade."""
    rng = scene.rng("dunes")
    at_u, at_v, scale, bend = rng.random(4)
    view = look(canvas, 0.42, 5.0, 340)
    smooth = noise.texture(0.42, 4)
    size = 0.10 + 0.04 * scale
    warp = noise.sample(view.x * 0.10 + at_v, view.z * 0.14 + at_u, smooth) * (0.5 + 0.5 * bend)
    swell = noise.sample(view.x * size + at_u + warp * 0.30, view.z * size * 1.9 + at_v + warp * 0.22, smooth)
    crest = 1 - np.sqrt((swell - 0.5) ** 2 + 0.0004) * 4.2
    heights = np.asarray(0.26 * np.clip(crest, -0.4, 1) * (0.35 + 0.65 * smoothstep(0.3, 2.0, view.z)), np.float32)
    lit = smoothstep(0.28, 0.72, light_on(scene, heights, view, 1.9))
    ripples = noise.sample(view.x * 0.5 + warp, view.z * 6.0 + warp * 2.0)
    lit = np.clip(lit + (ripples - 0.5) * 0.35 * (1 - view.depth) ** 2, 0, 1)
    sand = SNOW if scene.snowy else turned(SAND, float((bend - 0.5) * 24))
    project(
        canvas,
        heights,
        view,
        colours(scene, [(sand, np.ones_like(lit))], lit, view.depth * 0.8),
        0.34,
        canvas.height * scene.horizon,
    )


def paint_hills(canvas: Canvas, scene: Scene, height: float = 0.42) -> None:
    """Rolling countryside: a patchwork of fields, greener near, bluer far."""
    rng = scene.rng("hills")
    at_u, at_v, scale, tone, cut = rng.random(5)
    view = look(canvas, 0.5, 5.5, 240)
    smooth = noise.texture(0.36, 4)
    size = 0.10 + 0.05 * scale
    swell = noise.sample(view.x * size + at_u, view.z * size * 1.2 + at_v, smooth) - 0.35
    heights = np.asarray(height * swell * smoothstep(0.4, 2.2, view.z) * (0.8 + 0.2 * view.z), np.float32)
    lit = smoothstep(0.25, 0.8, light_on(scene, heights, view, 2.6))
    patch = noise.sample(view.x * 0.3 + at_v, view.z * 0.5 + at_u)
    stripes = np.sin((view.x * (0.4 + cut) + view.z) * 60.0) * 0.09 * (1 - view.depth)
    lit = np.clip(lit + stripes * smoothstep(0.5, 0.6, patch) + (patch - 0.5) * 0.25, 0, 1)
    second = LAVENDER if "lavender" in scene.reading.words else WHEAT if tone > 0.5 else turned(FIELD, -22, 1.1, 0.08)
    surfaces = [
        (FIELD, np.ones_like(lit)),
        (GRASS, smoothstep(0.42, 0.5, patch)),
        (second, smoothstep(0.58, 0.62, patch)),
    ]
    if "lavender" in scene.reading.words:
        surfaces.append((LAVENDER, smoothstep(0.40, 0.44, patch)))
    if scene.snowy:
        surfaces.append((SNOW, np.full_like(lit, 0.9)))
    project(canvas, heights, view, colours(scene, surfaces, lit, view.depth * 0.9), 0.3, canvas.height * scene.horizon)
