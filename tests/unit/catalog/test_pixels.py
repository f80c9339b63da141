"""Limits on whole sizes: of what is made, and of a picture that is made larger."""

from __future__ import annotations

from typing import Any

import pytest

from safelight.catalog.loading import load_catalog
from safelight.catalog.pixels import Shape
from safelight.providers.upscaling_order import MOST_PIXELS_IN, MOST_PIXELS_OUT

LIMITS = Shape(max_input_pixels=MOST_PIXELS_IN, max_pixels=MOST_PIXELS_OUT)


@pytest.mark.parametrize(
    ("params", "width", "height", "word"),
    [
        ({"scale": 4}, 1000, 1000, None),
        ({"scale": 2}, 4096, 4097, "the picture is too large: at most 16.8 megapixels, got 4096 by 4097"),
        ({"scale": 4}, 2000, 2000, "the result would be too large: at most 33.6 megapixels, got 8000 by 8000"),
        ({"scale": 4, "width": 4000}, 2000, 2000, None),
        ({"scale": 2, "width": 8000}, 2000, 2000, "got 8000 by 8000"),
        ({"scale": 2, "height": 8000}, 1000, 2000, None),
        ({"scale": 2, "width": 100, "height": 100}, 4096, 4096, None),
    ],
)
def test_a_picture_is_made_larger_within_limits(
    params: dict[str, Any], width: int, height: int, word: str | None
) -> None:
    found = list(LIMITS.input_errors(params, width, height))
    assert (word is None) == (not found)
    assert word is None or word in found[0]


@pytest.mark.parametrize("name", ["realesrgan", "lanczos"])
def test_the_catalog_has_the_limits_of_the_upscalers_here(name: str) -> None:
    model = load_catalog().get(name)
    assert model
    assert model.limits == LIMITS
