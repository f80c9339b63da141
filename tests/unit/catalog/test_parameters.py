"""Parameter values are checked in words a caller can act on, and completed with defaults."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.catalog.loading import load_catalog
from safelight.catalog.model import Model

PROCEDURAL = next(model for model in load_catalog().models if model.id == "procedural")


@pytest.fixture
def procedural() -> Model:
    return PROCEDURAL


def errors_of(model: Model, params: dict[str, Any]) -> dict[str, list[str]]:
    errors = model.parameter_errors(params)
    assert errors
    return errors


def complete(model: Model, params: dict[str, Any]) -> dict[str, Any]:
    assert model.parameter_errors(params) == {}
    return model.with_defaults(params)


def test_defaults_are_filled_in_and_a_missing_seed_stays_missing(procedural: Model) -> None:
    assert complete(procedural, {"width": 512}) == {"width": 512, "height": 1024, "n": 1, "format": "png"}


def test_the_edges_are_allowed(procedural: Model) -> None:
    low = {"width": 256, "height": 256, "seed": 0, "n": 1, "format": "webp"}
    high = {"width": 2048, "height": 2048, "seed": 2**31 - 1, "n": 10, "format": "jpeg"}
    assert complete(procedural, low) == low
    assert complete(procedural, high) == high


@pytest.mark.parametrize(
    ("params", "path", "text"),
    [
        ({"width": 12}, "params.width", "must be at least 256, got 12"),
        ({"width": 2049}, "params.width", "must be at most 2048, got 2049"),
        ({"width": "512"}, "params.width", "must be a whole number, got '512'"),
        ({"width": True}, "params.width", "must be a whole number, got true"),
        ({"width": None}, "params.width", "must be a whole number, got null"),
        ({"width": 512.5}, "params.width", "must be a whole number, got 512.5"),
        ({"width": [512]}, "params.width", "must be a whole number, got [512]"),
        ({"n": float("nan")}, "params.n", "must be a finite number, got nan"),
        ({"n": float("inf")}, "params.n", "must be a finite number, got inf"),
        ({"seed": 10**5000}, "params.seed", "must fit into 64 bits, got a number of 16610 bits"),
        ({"seed": 1e300}, "params.seed", "must be at most 2147483647, got 1e+300"),
        ({"seed": -1}, "params.seed", "must be at least 0, got -1"),
        ({"format": "gif"}, "params.format", "must be one of 'png', 'webp', 'jpeg', got 'gif'"),
        ({"format": "png\x00"}, "params.format", "must not contain the character NUL"),
        ({"widht": 512}, "params.widht", "is not a parameter of this model; did you mean 'width'?"),
        (
            {"zzz": 1},
            "params.zzz",
            "is not a parameter of this model; it takes width, height, seed, n, format",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_limit(procedural: Model, params: dict[str, Any], path: str, text: str) -> None:
    assert errors_of(procedural, params) == {path: [text]}


def test_all_wrong_values_are_reported_at_once(procedural: Model) -> None:
    assert set(errors_of(procedural, {"width": 1, "height": 1, "colour": 1})) == {
        "params.width",
        "params.height",
        "params.colour",
    }


def test_a_whole_number_written_as_a_float_is_that_number(procedural: Model) -> None:
    width = complete(procedural, {"width": 512.0})["width"]
    assert (width, type(width)) == (512, int)


def test_a_wrong_value_deep_inside_a_list_is_named_by_its_place() -> None:
    schema = {"type": "array", "items": {"type": "integer", "maximum": 9}}
    model = Model.model_validate(
        {
            "id": "m",
            "title": "M",
            "kind": "image",
            "routes": [{"provider": "p", "model": "m"}],
            "parameters": {"sizes": schema},
            "price": {"per": "job", "credits": 7},
            "typical_s": 1,
        }
    )
    assert errors_of(model, {"sizes": [1, 99]}) == {"params.sizes.1": ["must be at most 9, got 99"]}
    assert model.price_credits({"sizes": [1]}) == 7


def test_a_price_per_image_grows_with_n(procedural: Model) -> None:
    assert procedural.price_credits(complete(procedural, {"n": 4})) == 4


@pytest.mark.parametrize("prompt", ["", "  \n ", "x" * 8001, "a\x00b", "half \ud83d"])
def test_a_prompt_that_cannot_be_kept_or_drawn_is_refused(procedural: Model, prompt: str) -> None:
    assert len(procedural.prompt_errors(prompt)) == 1


@pytest.mark.parametrize("prompt", ["fox", "狐狸 в тумане 🦊", "x" * 8000, "two\nlines"])
def test_prompts_in_any_script_are_taken(procedural: Model, prompt: str) -> None:
    assert procedural.prompt_errors(prompt) == []


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["width", "height", "seed", "n", "format"]) | st.text(max_size=30)


@given(st.dictionaries(NAMES, JSON_VALUES, max_size=5))
def test_whatever_is_sent_is_taken_whole_or_refused_with_reasons(params: dict[str, Any]) -> None:
    errors = PROCEDURAL.parameter_errors(params)
    assert all(errors.values())
    if not errors:
        whole = PROCEDURAL.with_defaults(params)
        assert PROCEDURAL.parameter_errors(whole) == {}
        json.dumps(whole, allow_nan=False, ensure_ascii=False).encode("utf-8")
