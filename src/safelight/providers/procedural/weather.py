"""What falls or drifts between the viewer and the scene: rain, snow, fog, lightning."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from safelight.providers.procedural import noise
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.celestial import splat
from safelight.providers.procedural.colour import Array, mix, rgb
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.shapes import Silhouette

FLASH_EVERY_S = 2.6


def paint_weather(canvas: Canvas, scene: Scene) -> None:
    """The scene's weather in front of everything; indoors and in space there is none."""
    if scene.place in ("cloister", "studio", "space", "abstract"):
        return
    match scene.weather:
        case "rain":
            _rain(canvas, scene, 900)
        case "storm":
            _rain(canvas, scene, 500)
        case "snow":
            _snowfall(canvas, scene)
        case "fog":
            _fog(canvas, scene)
        case _:
            return


def strike_lightning(canvas: Canvas, scene: Scene) -> None:
    """One forked bolt from the clouds down to the horizon, and its light on the clouds."""
    flash = max(0.0, 1 - 3 * (scene.at_s % FLASH_EVERY_S))
    if flash == 0:
        return
    rng = scene.rng("lightning")
    x = (0.25 + 0.5 * rng.random()) * canvas.width
    picture = Silhouette(canvas)
    _bolt(picture, canvas, rng, (x, 0.0), scene.horizon * canvas.height, canvas.unit * 0.0042, 0)
    mask = picture.mask()
    small = Image.fromarray(np.asarray(mask * 255, np.uint8)).reduce(4)
    halo = np.asarray(small.filter(ImageFilter.GaussianBlur(canvas.unit * 0.02)), np.float32) / 255
    canvas.shine(np.clip(canvas.soft(halo) * 3.5, 0, 0.8) * flash, rgb("#9fb4ff"))
    canvas.blend(mask * flash, rgb("#f6f4ff"))


def _bolt(
    picture: Silhouette,
    canvas: Canvas,
    rng: np.random.Generator,
    start: tuple[float, float],
    floor: float,
    width: float,
    fork: int,
) -> None:
    points, (x, y) = [start], start
    drift = (rng.random() - 0.5) * 0.8
    for step in rng.random((26, 3)):
        x += canvas.unit * 0.05 * (step[0] - 0.5 + drift * 0.35)
        y += canvas.unit * (0.012 + 0.028 * step[1])
        points.append((x, y))
        if fork < 2 and step[2] < 0.10:
            _bolt(picture, canvas, rng, (x, y), min(floor, y + canvas.unit * 0.22), width * 0.55, fork + 1)
        if y > floor:
            break
    picture.line(points, width)


def _rain(canvas: Canvas, scene: Scene, count: int) -> None:
    rng = scene.rng("rain")
    drops = rng.random((int(count), 4))
    lean = (rng.random() - 0.5) * 0.5
    picture = Silhouette(canvas)
    for x, y, size, bright in drops:
        length = canvas.unit * (0.02 + 0.06 * size)
        fallen = (y + (1.1 + 0.9 * size) * scene.at_s) % 1.0
        along = (x + lean * (fallen - y) * canvas.height / canvas.width / 1.3) % 1.0
        left, top = (along * 1.3 - 0.15) * canvas.width, (fallen * 1.1 - 0.1) * canvas.height
        picture.line(
            [(left, top), (left + lean * length, top + length)],
            canvas.unit * (0.0006 + 0.0014 * size),
            int(40 + 110 * bright),
        )
    canvas.blend(picture.mask() * 0.55, mix(scene.palette.haze, rgb("#ffffff"), 0.5))


def _snowfall(canvas: Canvas, scene: Scene) -> None:
    rng = scene.rng("snowfall")
    for count, size, bright in ((700, 0.0012, 0.6), (220, 0.0028, 0.8)):
        flakes = rng.random((count, 3))
        radius = canvas.unit * size * (0.6 + 0.8 * flakes[:, 2])
        x, y = _adrift(scene, flakes, 0.05 + 30 * size)
        light = splat(canvas, x, y, np.full(count, bright), np.maximum(radius, 0.5))
        canvas.blend(np.minimum(light, 0.95), mix(rgb("#ffffff"), scene.palette.haze, 0.15))
    big = Silhouette(canvas)
    flakes = rng.random((26, 3))
    for x, y, size in zip(*_adrift(scene, flakes, 0.2), flakes[:, 2], strict=True):
        reach = canvas.unit * (0.006 + 0.008 * size)
        big.ellipse(x * canvas.width, y * canvas.height, reach, reach, 200)
    soft = Image.fromarray(np.asarray(big.mask() * 255, np.uint8)).filter(ImageFilter.BoxBlur(canvas.unit * 0.006))
    canvas.blend(np.asarray(soft, np.float32) / 330, rgb("#ffffff"))


def _adrift(scene: Scene, flakes: Array, per_s: float) -> tuple[Array, Array]:
    """Where flakes are that fall `per_s` heights a second and sway as they do."""
    x, y, size = flakes.T
    swayed = 0.012 * (np.sin((0.8 + size) * scene.at_s + 6 * x) - np.sin(6 * x))
    return (x + swayed) % 1.0, (y + per_s * (0.7 + 0.6 * size) * scene.at_s) % 1.0


def _fog(canvas: Canvas, scene: Scene) -> None:
    rng = scene.rng("fog")
    small = (64, 128)
    drift = noise.window(small, rng.random() + 0.008 * scene.at_s, rng.random(), 0.5, 0.22)
    y = np.linspace(0, 1, small[0], dtype=np.float32)[:, None]
    low = np.exp(-(((y - scene.horizon - 0.1) / 0.22) ** 2))
    amount = np.clip(low * (drift - 0.28) * 1.3, 0, 0.7)
    canvas.blend(canvas.soft(np.asarray(amount, np.float32)), mix(scene.palette.haze, rgb("#ffffff"), 0.2))
