"""Colours as float32 triples 0..1, and mixing them the way eyes do (OKLab, after Björn Ottosson's 2020 definition)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]], np.float32
)  # fmt: skip
_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]], np.float32
)  # fmt: skip
_LMS_BACK, _LAB_BACK = np.linalg.inv(_LMS).astype(np.float32), np.linalg.inv(_LAB).astype(np.float32)


def rgb(text: str) -> Array:
    """`#rrggbb` as three floats."""
    return np.array([int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)], np.float32)


def to_oklab(colours: Array) -> Array:
    """sRGB (..., 3) to OKLab (..., 3)."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((np.maximum(colours, 0) + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _LMS.T) @ _LAB.T, np.float32)


def from_oklab(lab: Array) -> Array:
    """OKLab (..., 3) to sRGB (..., 3), clipped into range."""
    linear = np.clip((lab @ _LAB_BACK.T) ** 3 @ _LMS_BACK.T, 0, 1)
    return np.asarray(np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055), np.float32)


def mix(one: Array, other: Array, share: float) -> Array:
    """`share` 0 gives one, 1 the other; in between an even walk for the eye."""
    return from_oklab(to_oklab(one) * (1 - share) + to_oklab(other) * share)


def ramp(colours: list[Array], positions: list[float], at: Array) -> Array:
    """Colours along a line, read at `at` (any shape): planes (3, *shape)."""
    lab = to_oklab(np.stack(colours))
    table = np.linspace(positions[0], positions[-1], 256)
    stops = np.stack([np.interp(table, positions, lab[:, k]) for k in range(3)], -1).astype(np.float32)
    lookup = from_oklab(stops)
    return np.stack([np.interp(at, table, lookup[:, k]).astype(np.float32) for k in range(3)])


def turned(colour: Array, degrees: float, chroma: float = 1.0, light: float = 0.0) -> Array:
    """The colour with its hue turned, its chroma scaled and its lightness moved."""
    lab = to_oklab(colour)
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle) * chroma, np.sin(angle) * chroma
    a, b = lab[..., 1] * cos - lab[..., 2] * sin, lab[..., 1] * sin + lab[..., 2] * cos
    return from_oklab(np.stack([np.clip(lab[..., 0] + light, 0, 1), a, b], -1).astype(np.float32))


def dyed(colour: Array, dye: Array, share: float) -> Array:
    """The colour taking on the dye's hue and chroma, keeping its own lightness."""
    lab, target = to_oklab(colour), to_oklab(dye)
    lab[..., 1:] += (target[..., 1:] - lab[..., 1:]) * share
    return from_oklab(lab)


def lch(light: float, chroma: float, hue_degrees: float) -> Array:
    """A colour from OKLab's lightness, chroma and hue."""
    angle = np.deg2rad(hue_degrees)
    return from_oklab(np.array([light, chroma * np.cos(angle), chroma * np.sin(angle)], np.float32))
