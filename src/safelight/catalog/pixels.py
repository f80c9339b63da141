"""How many pixels a picture or film will have by its parameters, and whether a model makes as many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from safelight.catalog.entry import Entry

_SHORT_SIDES = {"480p": 480, "720p": 720, "1080p": 1080, "1440p": 1440, "2160p": 2160}
_SQUARE_SIDES = {"1K": 1024, "2K": 2048, "4K": 4096}


class Shape(Entry):
    """What no single parameter can say: limits on width and height together."""

    min_pixels: int | None = Field(default=None, ge=1)
    max_pixels: int | None = Field(default=None, ge=1)
    max_aspect: float | None = Field(default=None, ge=1, allow_inf_nan=False)
    """The longer side over the shorter one."""

    max_input_pixels: int | None = Field(default=None, ge=1)
    """Of a picture that is made larger; what becomes of it has at most `max_pixels`."""

    def errors(self, params: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with the size, for complete parameters."""
        pixels = pixels_of(params)
        if pixels is None:
            return
        size = f"{params['width']} by {params['height']}" if _has_sides(params) else f"{megapixels(pixels)}"
        if self.max_pixels and pixels > self.max_pixels:
            yield f"{size} is too large: at most {megapixels(self.max_pixels)}, got {megapixels(pixels)}"
        if self.min_pixels and pixels < self.min_pixels:
            yield f"{size} is too small: at least {megapixels(self.min_pixels)}, got {megapixels(pixels)}"
        if self.max_aspect and _has_sides(params) and _aspect(params) > self.max_aspect:
            yield f"{size} is too long: one side may be at most {self.max_aspect:g} times the other"

    def input_errors(self, params: Mapping[str, Any], width: int, height: int) -> Iterator[str]:
        """What is wrong with making a picture of that size larger, for complete parameters."""
        if self.max_input_pixels and width * height > self.max_input_pixels:
            most, got = megapixels(self.max_input_pixels), megapixels(width * height)
            yield f"the picture is too large: at most {most}, got {width} by {height}: {got}"
            return
        wide, high = _enlarged(params, width, height)
        if self.max_pixels and wide * high > self.max_pixels:
            most, got = megapixels(self.max_pixels), megapixels(wide * high)
            yield f"the result would be too large: at most {most}, got {wide} by {high}: {got}"


def pixels_of(params: Mapping[str, Any]) -> int | None:
    """Of one picture, or one frame of a film; None where the parameters do not say."""
    if _has_sides(params):
        return int(params["width"]) * int(params["height"])
    resolution = str(params.get("resolution", ""))
    if resolution in _SQUARE_SIDES:
        return _SQUARE_SIDES[resolution] ** 2
    if resolution in _SHORT_SIDES:
        short = _SHORT_SIDES[resolution]
        return round(short * short * _ratio(str(params.get("aspect_ratio", "1:1"))))
    return None


def megapixels(pixels: int) -> str:
    """`2.4 megapixels`."""
    return f"{pixels / 1_000_000:.1f} megapixels"


def _enlarged(params: Mapping[str, Any], width: int, height: int) -> tuple[int, int]:
    """To the exact size that is asked for, in proportion where that is one side, else by the scale."""
    wide, high = params.get("width"), params.get("height")
    if wide and high:
        return int(wide), int(high)
    scale = wide / width if wide else high / height if high else params.get("scale", 1)
    return round(width * scale), round(height * scale)


def _has_sides(params: Mapping[str, Any]) -> bool:
    return "width" in params and "height" in params


def _aspect(params: Mapping[str, Any]) -> float:
    width, height = float(params["width"]), float(params["height"])
    return max(width, height) / min(width, height)


def _ratio(aspect: str) -> float:
    """Of the longer side to the shorter one; 1 for what is no ratio of two numbers (`auto`)."""
    left, _, right = aspect.partition(":")
    if not (left.isdecimal() and right.isdecimal() and int(left) and int(right)):
        return 1.0
    return max(int(left), int(right)) / min(int(left), int(right))
