"""How a picture is cut: tiles that lie edge to edge, each seen with a margin, so that no seam shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

LONGEST_PX = 128
"""Larger tiles are no quicker, and take more memory."""
MARGIN_PX = 20
"""The model looks 18 pixels far: 17 convolutions of 3x3 and the interpolation's own reach. What lies farther away
cannot change a pixel, so a tile comes out as the whole picture would."""


@dataclass(frozen=True, slots=True)
class Tile:
    """`left`..`right`, `top`..`bottom` is the tile's own part; `seen` is what the model gets (same order of sides)."""

    left: int
    top: int
    right: int
    bottom: int
    seen: tuple[int, int, int, int]


def tiles(width: int, height: int, longest_px: int = LONGEST_PX, margin_px: int = MARGIN_PX) -> Iterator[Tile]:
    """Tiles of about the same size, row by row."""
    for top, bottom in _parts(height, longest_px):
        for left, right in _parts(width, longest_px):
            seen = (
                max(0, left - margin_px),
                max(0, top - margin_px),
                min(width, right + margin_px),
                min(height, bottom + margin_px),
            )
            yield Tile(left, top, right, bottom, seen)


def _parts(length: int, longest_px: int) -> list[tuple[int, int]]:
    number = -(-length // longest_px)
    edges = [length * at // number for at in range(number + 1)]
    return list(pairwise(edges))
