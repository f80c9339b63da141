"""What light does to the finished picture: bloom, haze around the sun, vignette, curve, grain, style filters."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, rgb
from safelight.providers.procedural.scene import Scene

WITHOUT_SUN = {"studio", "cloister", "abstract", "space"}
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def scatter_sunlight(canvas: Canvas, scene: Scene, strength: float = 0.34) -> None:
    """The sun's light in the air, over everything that stands before it."""
    if scene.place in WITHOUT_SUN:
        return
    small = (max(8, canvas.height // 8), max(8, canvas.width // 8))
    y = ((np.arange(small[0], dtype=np.float32) + 0.5) / small[0])[:, None]
    x = ((np.arange(small[1], dtype=np.float32) + 0.5) / small[1])[None, :]
    far = np.hypot((x - scene.sun_x) * canvas.width, (y - scene.sun_y) * canvas.height) / canvas.unit
    amount = np.exp(-far * 2.6) * strength * scene.palette.sun_strength
    if scene.time == "night":
        amount *= 0.45
    canvas.shine(canvas.soft(np.asarray(amount, np.float32)), scene.palette.glow)


def bloom(canvas: Canvas, strength: float = 0.5, threshold: float = 0.78, coarse: int = 1) -> None:
    """Let the brightest parts bleed into their surroundings; `coarse` times as roughly, for films."""
    step = max(2, round(canvas.unit / 256)) * coarse
    small = canvas.rgb[:, ::step, ::step]
    bright = np.clip((np.tensordot(LUMA, small, 1) - threshold) / (1 - threshold), 0, 1)
    radius = canvas.unit / step
    for k in range(3):
        light = Image.fromarray(np.asarray(np.clip(bright * small[k], 0, 1) * 255, np.uint8))
        wide = np.asarray(light.filter(ImageFilter.GaussianBlur(radius * 0.045)), np.float32)
        near = np.asarray(light.filter(ImageFilter.GaussianBlur(radius * 0.012)), np.float32)
        spread = canvas.soft(np.asarray((wide * 0.6 + near * 0.4) * (strength / 255), np.float32))
        canvas.rgb[k] += spread * (1 - np.minimum(canvas.rgb[k], 1))


def finish(canvas: Canvas, scene: Scene, *, grainy: bool = True) -> None:
    """Vignette, curve, style, grain: the darkroom's last steps. Grain that stood still would spoil a film."""
    _vignette(canvas)
    if scene.reading.style:
        _restyle(canvas, scene.reading.style)
    for k in range(3):
        plane = canvas.rgb[k]
        np.clip(plane, 0, 1, out=plane)
        plane += 0.35 * (plane * plane * (3 - 2 * plane) - plane)
    if grainy:
        _grain(canvas, scene)


def _vignette(canvas: Canvas) -> None:
    x = np.linspace(-1, 1, canvas.width, dtype=np.float32)
    y = np.linspace(-1, 1, canvas.height, dtype=np.float32)[:, None]
    canvas.rgb *= 1.02 - 0.11 * (x * x + y * y)


def _restyle(canvas: Canvas, style: str) -> None:
    grey = np.tensordot(LUMA, canvas.rgb, 1)
    match style:
        case "mono":
            canvas.rgb[:] = grey
        case "sepia":
            for k, share in enumerate(rgb("#ffe2b4")):
                canvas.rgb[k] += 0.8 * (grey * share * 1.02 + 0.03 - canvas.rgb[k])
        case "pastel":
            canvas.rgb += 0.22 * (grey - canvas.rgb)
            canvas.rgb *= 0.72
            canvas.rgb += 0.27
        case "vivid":
            canvas.rgb += -0.35 * (grey - canvas.rgb)
        case _:
            return


def _grain(canvas: Canvas, scene: Scene) -> None:
    """One tile of grain, rolled about: grain is not composition, so it is not scaled with the picture."""
    tile = grain_tile(scene)
    high, wide = -(-canvas.height // 256), -(-canvas.width // 256)
    canvas.rgb += np.tile(tile, (high, wide))[: canvas.height, : canvas.width]


def grain_tile(scene: Scene) -> Array:
    """256 by 256 pixels of fine noise, a little under one percent strong."""
    return scene.rng("grain").normal(0, 0.0075, (256, 256)).astype(np.float32)
