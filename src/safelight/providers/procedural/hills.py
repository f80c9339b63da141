"""Rolling countryside: a patchwork of fields, groups of trees, and a river if one is asked for."""

from __future__ import annotations

import numpy as np

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, mix, turned
from safelight.providers.procedural.materials import BUSH, FIELD, GRASS, LAVENDER, SNOW, WHEAT
from safelight.providers.procedural.noise import smoothstep
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.shapes import Silhouette
from safelight.providers.procedural.terrain import View, colours, light_on, look, project

EYE = 0.3


def paint_hills(canvas: Canvas, scene: Scene, height: float = 0.42) -> None:
    """Fields greener near, bluer far; trees stand along their edges."""
    rng = scene.rng("hills")
    at_u, at_v, scale, tone, cut = rng.random(5).tolist()
    view = look(canvas, 0.5, 5.5, 260)
    size = 0.10 + 0.05 * scale
    swell = noise.sample(view.x * size + at_u, view.z * size * 1.2 + at_v, noise.texture(0.36)) - 0.35
    heights = height * swell * smoothstep(0.4, 2.2, view.z) * (0.8 + 0.2 * view.z)
    river = _river(scene, view) if scene.place == "river" else None
    if river is not None:
        heights = heights * 0.45 * (1 - 0.9 * river) - 0.02 * river
    lit = smoothstep(0.25, 0.8, light_on(scene, heights, view, 2.6))
    patch = noise.sample(view.x * 0.3 + at_v, view.z * 0.5 + at_u)
    stripes = np.sin((view.x * (0.4 + cut) + view.z) * 60.0) * 0.09 * (1 - view.depth)
    lit = np.clip(lit + stripes * smoothstep(0.5, 0.6, patch) + (patch - 0.5) * 0.25, 0, 1)
    planes = colours(scene, _fields(scene, lit, patch, float(tone)), lit, view.depth * 0.9)
    if river is not None:
        _fill_river(scene, planes, river, view)
    rows = project(canvas, heights, view, planes, EYE, canvas.height * scene.horizon)
    _plant(canvas, scene, view, rows, river)


def _fields(scene: Scene, lit: Array, patch: Array, tone: float) -> list[tuple[Array, Array]]:
    lavender = "lavender" in scene.reading.words
    crop = LAVENDER if lavender else WHEAT if tone > 0.5 else turned(FIELD, -22, 1.1, 0.08)
    surfaces = [
        (FIELD, np.ones_like(lit)),
        (GRASS, smoothstep(0.42, 0.5, patch)),
        (crop, smoothstep(0.58, 0.62, patch)),
    ]
    if lavender:
        surfaces.append((LAVENDER, smoothstep(0.40, 0.44, patch)))
    if scene.snowy:
        surfaces.append((SNOW, np.full_like(lit, 0.9)))
    return surfaces


def _river(scene: Scene, view: View) -> Array:
    """1 in the river, 0 away from its banks."""
    bend, start = scene.rng("river").random(2).tolist()
    way = (0.30 + 0.2 * bend) * np.sin(view.z * (1.5 + 0.5 * bend) + start * 6.28) * (0.35 + 0.22 * view.z)
    way = way + (scene.sun_x - 0.5) * 0.5 * view.z
    return smoothstep(0.62, 0.10, np.abs(view.x - way))


def _fill_river(scene: Scene, planes: Array, river: Array, view: View) -> None:
    palette = scene.palette
    near, far = mix(palette.sky[1], palette.sky[0], 0.5), mix(palette.sky[3], palette.glow, 0.3)
    water = smoothstep(0.90, 0.93, river)
    ripple = noise.sample(view.x * 0.4, view.z * 2.2) - 0.5
    share = np.clip(smoothstep(0.0, 0.55, view.depth) + ripple * 0.5, 0, 1)
    for k in range(3):
        planes[k] += water * (near[k] + share * (far[k] - near[k]) - planes[k])


def _plant(canvas: Canvas, scene: Scene, view: View, rows: Array, river: Array | None) -> None:
    """Groups of round trees, far ones first, left out where a nearer hill hides their ground."""
    rng = scene.rng("groups")
    hidden_below = np.minimum.accumulate(rows, axis=0)
    groups = rng.random((20, 3))
    for depth, across, size in sorted(groups.tolist(), reverse=True):
        slice_at = int((0.62 + 0.34 * depth) * (len(rows) - 1))
        z = float(view.z[slice_at, 0])
        column = int(across * (canvas.width - 1))
        near = max(0, slice_at - 3)
        wet = river is not None and float(river[slice_at, column]) > 0.5
        if wet or rows[slice_at, column] > hidden_below[near, column]:
            continue
        _grove(
            canvas,
            scene,
            rng,
            (float(column), float(rows[slice_at, column])),
            canvas.unit * (0.05 + 0.05 * size) / z,
            z,
        )


def _grove(
    canvas: Canvas, scene: Scene, rng: np.random.Generator, foot: tuple[float, float], size: float, z: float
) -> None:
    distance = (z - 0.5) / 5.0
    bush = mix(BUSH, SNOW, 0.55) if scene.snowy else BUSH
    picture, shine = (Silhouette(canvas, foot[1] - size * 3.2, foot[1] + size) for _ in range(2))
    side = 1 if scene.sun_x > 0.5 else -1
    for dx, up, radius in rng.random((6, 3)):
        x, y, reach = foot[0] + (dx - 0.5) * size * 4.4, foot[1] - size * (0.45 + 0.6 * up), size * (0.5 + 0.5 * radius)
        picture.ellipse(x, y, reach, reach * 0.95)
        picture.box(x - size * 0.06, y, x + size * 0.06, foot[1] + size * 0.15)
        shine.ellipse(x + side * reach * 0.22, y - reach * 0.25, reach * 0.66, reach * 0.6)
    canvas.blend(picture.mask(), scene.palette.lit(bush, 0.12, distance), picture.top)
    canvas.blend(shine.mask() * 0.55, scene.palette.lit(bush, 0.6, distance), shine.top)
