"""Organic irregularity: tileable fractal textures, made once per process, sampled anywhere at any size."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image

from safelight.providers.procedural.colour import Array

SIDE = 1024
"""Pixels along one side of the texture; one tile is 1.0 in texture coordinates."""


LINE_SAMPLES = 8192


@cache
def texture(sharpness: float = 0.55) -> Array:
    """Fractal noise, mean 0.5, mostly within 0..1, that repeats seamlessly. `sharpness` weighs each finer octave."""
    rng = np.random.default_rng(20_11)
    total, weight, cells = np.zeros((SIDE, SIDE), np.float32), 1.0, 4
    while cells <= SIDE // 4 and weight > 0.01:
        total += weight * _octave(rng.random((cells, cells), np.float32), cells)
        weight, cells = weight * sharpness, cells * 2
    total -= total.mean()
    return _shared(total / (5.0 * total.std()) + 0.5)


@cache
def ridges() -> Array:
    """Tileable mountain heights, 0..1: sharp crests, eroded flanks, quiet valleys."""
    rng = np.random.default_rng(41)
    total, weight, cells = np.zeros((SIDE, SIDE), np.float32), 1.0, 4
    previous: Array = np.ones((SIDE, SIDE), np.float32)
    while cells <= SIDE // 8:
        crest = 1 - np.abs(_octave(rng.random((cells, cells), np.float32), cells)) * 2.6
        crest = np.clip(crest, 0, 1) ** 2
        total += weight * crest * previous
        previous = np.clip(0.25 + 0.9 * crest * previous, 0, 1)
        weight, cells = weight * 0.47, cells * 2
    return _shared(total / np.quantile(total, 0.998))


def _shared(field: Array) -> Array:
    """All pictures of the process read the same texture, so nobody may write to it."""
    result = np.asarray(field, np.float32)
    result.setflags(write=False)
    return result


def _octave(lattice: Array, cells: int) -> Array:
    border = 3
    wrapped = np.pad(lattice - 0.5, border, mode="wrap")
    box = (border, border, border + cells, border + cells)
    return np.asarray(Image.fromarray(wrapped).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box), np.float32)


def window(shape: tuple[int, int], x: float, y: float, wide: float, high: float, field: Array | None = None) -> Array:
    """A straight cut-out of the texture, starting at (x, y), `wide` by `high` tiles, smoothly resized to shape."""
    field = texture() if field is None else field
    left, top = (x % 1.0) * SIDE, (y % 1.0) * SIDE
    columns = np.arange(int(left) - 3, int(left + wide * SIDE) + 5) % SIDE
    rows = np.arange(int(top) - 3, int(top + high * SIDE) + 5) % SIDE
    cut = Image.fromarray(np.ascontiguousarray(field[rows][:, columns]))
    at_x, at_y = left - int(left) + 3, top - int(top) + 3
    box = (at_x, at_y, at_x + wide * SIDE, at_y + high * SIDE)
    return np.asarray(cut.resize((shape[1], shape[0]), Image.Resampling.BICUBIC, box=box), np.float32)


def sample(u: Array, v: Array, field: Array | None = None) -> Array:
    """The texture read at any coordinates (broadcast together), blended between its pixels."""
    field = texture() if field is None else field
    x, y = u * SIDE, v * SIDE
    left, top = np.floor(x), np.floor(y)
    fx, fy = x - left, y - top
    columns, rows = left.astype(np.int32) & (SIDE - 1), top.astype(np.int32) & (SIDE - 1)
    right, below = (columns + 1) & (SIDE - 1), (rows + 1) & (SIDE - 1)
    flat = field.ravel()
    upper = flat.take(rows * SIDE + columns) * (1 - fx) + flat.take(rows * SIDE + right) * fx
    lower = flat.take(below * SIDE + columns) * (1 - fx) + flat.take(below * SIDE + right) * fx
    return np.asarray(upper * (1 - fy) + lower * fy, np.float32)


def line(x: Array, offset: float, octaves: int = 6, sharpness: float = 0.5) -> Array:
    """Fractal noise along a line, about -1..1, one bump per unit of x at the coarsest octave."""
    if x.size > LINE_SAMPLES:
        return _looked_up(x, offset, octaves, sharpness)
    table = _line_table()
    total, weight, norm = np.zeros_like(x, np.float32), 1.0, 0.0
    for octave in range(octaves):
        at = x * 2.0**octave + offset + 37.3 * octave
        cell = np.floor(at)
        near = cell.astype(np.int64) & 1023
        step = (at - cell).astype(np.float32)
        step = step * step * (3 - 2 * step)
        total += weight * (table[near] * (1 - step) + table[(near + 1) & 1023] * step)
        norm, weight = norm + weight, weight * sharpness
    return np.asarray(total / norm * 1.6, np.float32)


def _looked_up(x: Array, offset: float, octaves: int, sharpness: float) -> Array:
    """For whole areas: the line sampled finely once, then read from."""
    low, high = float(x.min()), float(x.max())
    samples = line(np.linspace(low, high, LINE_SAMPLES, dtype=np.float32), offset, octaves, sharpness)
    at = (x - low) * ((LINE_SAMPLES - 1) / max(high - low, 1e-6))
    return samples.take(at.astype(np.int32))


@cache
def _line_table() -> Array:
    return np.random.default_rng(7).uniform(-1, 1, 1024).astype(np.float32)


def smoothstep(low: float, high: float, value: Array) -> Array:
    """0 below low, 1 above high, an even S between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def warm_up() -> None:
    """Make the textures now rather than during the first picture."""
    for sharpness in (0.55, 0.42, 0.36, 0.22):
        texture(sharpness)
    ridges()
    _line_table()
