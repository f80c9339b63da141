"""Setting a finished figure into the picture: light from the sun's side, a rim along its edge, haze, shadow, mirror."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.colour import Array, rgb
from safelight.providers.procedural.figure import FINE, Figure
from safelight.providers.procedural.scene import Scene

WHITE = rgb("#ffffff")
RIM_STRENGTH = {"noon": 0.4, "morning": 0.5, "night": 0.5}
FILL = 0.13
"""Light on subjects from nowhere in particular, so that they stay readable at night."""


def place(
    canvas: Canvas, scene: Scene, figure: Figure, x: float, y: float, distance: float = 0.0, indoors: bool = False
) -> None:
    """Put the figure's foot at pixel (x, y). `indoors` is lit softly from the front instead of by the sky."""
    pixels = np.asarray(figure.body.reduce(FINE), np.float32) / 255
    colour, alpha = pixels.transpose(2, 0, 1)[:3], pixels[..., 3]
    left, top = int(x - alpha.shape[1] / 2), int(y - figure.above * figure.size)
    lit = _lit(canvas, scene, colour, alpha, distance, indoors)
    canvas.blend(alpha, lit, top, left)
    if figure.lights is not None:
        _shine(canvas, figure.lights, top, left)


def _lit(canvas: Canvas, scene: Scene, colour: Array, alpha: Array, distance: float, indoors: bool) -> Array:
    palette = scene.palette
    side = 1.0 if scene.sun_x > 0.5 else -1.0
    across = np.linspace(-1, 1, alpha.shape[1], dtype=np.float32)[None, :] * side
    if indoors:
        return np.asarray(colour * (0.92 + 0.10 * across))
    if scene.place == "cloister":
        across = across - 0.2
        return _candle_lit(colour, across)
    amount = np.clip({"noon": 0.72, "morning": 0.66}.get(scene.time, 0.42) + 0.22 * across, 0, 1)
    light, shade = palette.light, palette.shade
    reach = max(1, round(canvas.unit * 0.0045))
    rim = _rim(alpha, reach, side) * palette.sun_strength * RIM_STRENGTH.get(scene.time, 0.75)
    fade = float(1 - np.exp(-palette.haze_density * distance))
    lit = np.empty_like(colour)
    fill = 0.22 if scene.time == "night" else FILL
    for k in range(3):
        plane = colour[k] * (fill + (1 - fill) * (shade[k] + amount * (light[k] - shade[k])))
        plane = plane + rim * (palette.disc[k] - plane)
        lit[k] = plane + fade * (palette.haze[k] - plane)
    return lit


def _candle_lit(colour: Array, across: Array) -> Array:
    """The half-light of a stone room: warm from one side, dim from the other."""
    warm, cool = rgb("#ffe2b8"), rgb("#8f86a0")
    share = np.clip(0.62 + 0.45 * across, 0, 1)
    return np.stack([colour[k] * (cool[k] + share * (warm[k] - cool[k])) for k in range(3)])


def _rim(alpha: Array, reach: int, side: float) -> Array:
    """Where the figure's edge turns to the sun, above and to its side."""
    shifted = np.zeros_like(alpha)
    step = reach if side > 0 else -reach
    if step > 0:
        shifted[reach:, :-step] = alpha[:-reach, step:]
    else:
        shifted[reach:, -step:] = alpha[:-reach, :step]
    return np.asarray(np.clip(alpha - shifted, 0, 1))


def _shine(canvas: Canvas, lights: Image.Image, top: int, left: int) -> None:
    """Lights are seen as they are, and light up the air around them."""
    area = lights.getbbox()
    if area is None:
        return
    area = (area[0] // 8 * 8, area[1] // 8 * 8, area[2], area[3])
    lights, left, top = lights.crop(area), left + area[0] // FINE, top + area[1] // FINE
    small = lights.reduce(FINE)
    pixels = np.asarray(small, np.float32).transpose(2, 0, 1) / 255
    canvas.blend(pixels[3], pixels[:3], top, left)
    step = 4
    tiny = small.convert("RGBa").reduce(step)
    margin = int(canvas.unit * 0.06 / step) + 1
    padded = Image.new("RGBa", (tiny.width + 2 * margin, tiny.height + 2 * margin))
    padded.paste(tiny, (margin, margin))
    soft = padded.filter(ImageFilter.GaussianBlur(canvas.unit * 0.018 / step))
    large = soft.resize((soft.width * step, soft.height * step), Image.Resampling.BILINEAR)
    halo = np.clip(np.asarray(large, np.float32).transpose(2, 0, 1)[:3] * (1.3 / 255), 0, 1)
    canvas.shine(halo, WHITE, top - margin * step, left - margin * step)


def cast_beam(canvas: Canvas, scene: Scene, x: float, y: float) -> None:
    """A lamp's two beams, widening and fading to either side."""
    small = (max(8, canvas.height // 4), max(8, canvas.width // 4))
    across = ((np.arange(small[1], dtype=np.float32) + 0.5) / small[1] * canvas.width - x)[None, :] / canvas.unit
    down = ((np.arange(small[0], dtype=np.float32) + 0.5) / small[0] * canvas.height - y)[:, None] / canvas.unit
    tilt = 0.16 if scene.mirrored else -0.16
    aside = np.abs(down - tilt * across) / (0.012 + 0.15 * np.abs(across))
    beam = np.clip(1 - aside, 0, 1) ** 1.3 * np.exp(-np.abs(across) * 1.5)
    canvas.shine(canvas.soft(beam * 0.7), rgb("#fff0c0"))


def drop_shadow(
    canvas: Canvas, scene: Scene, x: float, y: float, across: float, down: float, strength: float = 0.45
) -> None:
    """A soft pool of shade on the ground, drawn out away from the sun."""
    lean = (0.5 - scene.sun_x) * across * 0.8
    high, wide = int(down * 4) + 2, int(across * 4) + 2
    left, top = int(x + lean - wide / 2), int(y - high / 2)
    rows = (np.arange(high, dtype=np.float32)[:, None] - high / 2) / max(down, 1)
    columns = (np.arange(wide, dtype=np.float32)[None, :] - wide / 2) / max(across, 1)
    mask = strength * np.clip(1.1 - np.hypot(rows, columns), 0, 1)
    canvas.blend(np.asarray(mask), np.asarray(scene.palette.shade * rgb("#20242c") * 0.8), top, left)


def mirror(canvas: Canvas, scene: Scene, figure: Figure, x: float, y: float, strength: float = 0.42) -> None:
    """The figure's image in water below (x, y), broken by ripples."""
    pixels = np.asarray(figure.body.reduce(FINE), np.float32) / 255
    foot = int(figure.above * figure.size)
    flipped = pixels[:foot][::-1]
    rows = np.arange(flipped.shape[0])
    sway = (
        np.sin(rows / canvas.unit * 150 + 2 * np.sin(rows / canvas.unit * 47))
        * rows
        / canvas.unit
        * 0.05
        * canvas.unit
        * 0.5
    )
    columns = np.clip(np.arange(flipped.shape[1])[None, :] + sway[:, None].astype(int), 0, flipped.shape[1] - 1)
    broken = np.take_along_axis(flipped, columns[:, :, None], axis=1)
    fade = np.clip(1 - rows / max(1.0, flipped.shape[0] * 0.95), 0, 1)[:, None] * strength
    tone = broken.transpose(2, 0, 1)[:3] * (scene.palette.shade[:, None, None] * 0.8 + 0.1)
    canvas.blend(np.asarray(broken[..., 3] * fade), np.asarray(tone), int(y), int(x - flipped.shape[1] / 2))
