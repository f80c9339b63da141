"""A subject drawn with flat shapes at twice its size, then lit like everything else and set into the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from safelight.providers.procedural.colour import Array, mix, rgb

FINE = 2
_TURN = np.linspace(0, 2 * np.pi, 48, endpoint=False)
_ROUND = (np.cos(_TURN), np.sin(_TURN))
Point = tuple[float, float]
Colour = Array | str


class Figure:
    """Shapes in the subject's own measure: (0, 0) is the middle of its foot, x to the right, y up, 1 its height.

    `body` is what light falls on, `lights` what shines by itself.
    """

    def __init__(
        self, size_px: float, across: float = 1.4, below: float = 0.12, above: float = 1.15, flip: bool = False
    ) -> None:
        self.size = max(8.0, size_px)
        self.across, self.below, self.above, self.flip = across, below, above, flip
        pixels = (max(4, int(across * self.size)) * FINE, max(4, int((above + below) * self.size)) * FINE)
        self.body = Image.new("RGBA", pixels)
        self.lights: Image.Image | None = None
        self._clip: Image.Image | None = None
        self._shining = False

    def shape(self, points: Sequence[Point], colour: Colour, smooth: bool = False) -> None:
        """A filled outline; smooth ones pass through their points in a curve, sharp where a point is given twice."""
        self._fill(self._pixels(curve(points) if smooth else points), colour)

    def oval(self, x: float, y: float, across: float, up: float, colour: Colour, turn: float = 0.0) -> None:
        """An ellipse by its middle and radii, turned by degrees."""
        cos, sin = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
        ex, ey = across * _ROUND[0], up * _ROUND[1]
        self._fill(self._pixels(list(zip(x + ex * cos - ey * sin, y + ex * sin + ey * cos, strict=True))), colour)

    def box(self, left: float, bottom: float, right: float, top: float, colour: Colour) -> None:
        self._fill(self._pixels([(left, bottom), (right, bottom), (right, top), (left, top)]), colour)

    def stroke(self, points: Sequence[Point], width: float, colour: Colour, smooth: bool = True) -> None:
        """A line with round ends."""
        path = self._pixels(curve(points, closed=False) if smooth and len(points) > 2 else points)
        self._fill(path, colour, max(1.0, width * self.size * FINE))

    @contextmanager
    def within(self, points: Sequence[Point], smooth: bool = False) -> Iterator[None]:
        """What is drawn meanwhile stays inside this outline: shading, stripes, folds."""
        outer = self._clip
        mask = Image.new("L", self.body.size)
        ImageDraw.Draw(mask).polygon(self._pixels(curve(points) if smooth else points), fill=255)
        self._clip = mask if outer is None else ImageChops.multiply(mask, outer)
        try:
            yield
        finally:
            self._clip = outer

    @contextmanager
    def on_body(self) -> Iterator[None]:
        """What is drawn meanwhile stays on what was drawn before."""
        outer = self._clip
        self._clip = self.body.getchannel("A")
        try:
            yield
        finally:
            self._clip = outer

    @contextmanager
    def shining(self) -> Iterator[None]:
        """What is drawn meanwhile gives light instead of receiving it."""
        if self.lights is None:
            self.lights = Image.new("RGBA", self.body.size)
        self._shining = True
        try:
            yield
        finally:
            self._shining = False

    def _fill(self, path: list[Point], colour: Colour, wide: float | None = None) -> None:
        """Draw an outline, or with `wide` a line, on the body or the lights, inside the clip if there is one."""
        tone = rgb(colour) if isinstance(colour, str) else colour
        ink = (*(int(min(max(part, 0.0), 1.0) * 255 + 0.5) for part in tone.tolist()), 255)
        target = self.lights if self._shining and self.lights is not None else self.body
        if self._clip is None:
            _draw(ImageDraw.Draw(target), path, wide, ink)
            return
        pad = (wide or 0) / 2 + 1
        left, top = max(0, int(min(x for x, _ in path) - pad)), max(0, int(min(y for _, y in path) - pad))
        right = min(target.width, int(max(x for x, _ in path) + pad) + 1)
        bottom = min(target.height, int(max(y for _, y in path) + pad) + 1)
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", (right - left, bottom - top))
        _draw(ImageDraw.Draw(mask), [(x - left, y - top) for x, y in path], wide, 255)
        area = (left, top, right, bottom)
        target.paste(ink, area, ImageChops.multiply(mask, self._clip.crop(area)))

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        side = -1 if self.flip else 1
        middle, foot, scale = self.body.width / 2, self.above * self.size * FINE, self.size * FINE
        return [(middle + side * x * scale, foot - y * scale) for x, y in points]


def _draw(draw: ImageDraw.ImageDraw, path: list[Point], wide: float | None, ink: tuple[int, ...] | int) -> None:
    if wide is None:
        draw.polygon(path, fill=ink)
        return
    draw.line(path, fill=ink, width=max(1, round(wide)), joint="curve")
    for x, y in (path[0], path[-1]):
        draw.ellipse((x - wide / 2, y - wide / 2, x + wide / 2, y + wide / 2), fill=ink)


def curve(points: Sequence[Point], closed: bool = True, steps: int = 8) -> list[Point]:
    """A Catmull-Rom curve through the points; a point given twice makes a corner."""
    p = np.asarray(points, np.float64)
    if closed:
        before, start, end, after = np.roll(p, 1, 0), p, np.roll(p, -1, 0), np.roll(p, -2, 0)
    else:
        padded = np.concatenate([p[:1], p, p[-1:]])
        before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, steps, endpoint=False)[:, None, None]
    way = 0.5 * (
        2 * start + (end - before) * t + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )  # fmt: skip
    flat = way.transpose(1, 0, 2).reshape(-1, 2)
    flat = flat if closed else np.concatenate([flat, p[-1:]])
    return [(float(x), float(y)) for x, y in flat]


def darker(colour: Colour, share: float = 0.35) -> Array:
    """The colour toward a cool shadow."""
    tone = rgb(colour) if isinstance(colour, str) else colour
    return mix(tone, rgb("#141428"), share)


def lighter(colour: Colour, share: float = 0.3) -> Array:
    """The colour toward a warm light."""
    tone = rgb(colour) if isinstance(colour, str) else colour
    return mix(tone, rgb("#fff6e6"), share)
