"""The shipped catalog: every kind has its models in the agreed order, and no old name leads nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from safelight.catalog.checking import schema_problems
from safelight.catalog.loading import load_catalog
from safelight.catalog.model import Model
from safelight.domain.errors import ModelRetired

TODAY = date(2026, 11, 26)
CATALOG = load_catalog()
PROVIDERS = {provider for model in CATALOG.models for provider in (route.provider for route in model.routes)}


def first(kind: str, *providers: str) -> str:
    return CATALOG.resolve(kind, None, configured=providers, today=TODAY).model.id


def test_the_default_of_each_kind_depends_on_what_is_configured() -> None:
    assert first("image", *PROVIDERS) == "google/imagen-4-fast"
    assert first("image", "openai", "huggingface", "procedural") == "gpt-image-2.6-flare"
    assert first("image", "huggingface", "modelslab", "procedural").startswith("black-forest-labs/FLUX.1")
    assert first("image", "procedural") == "procedural"
    assert first("video", *PROVIDERS) == "bytedance/seedance-1-pro"
    assert first("video", "procedural-video") == "procedural-video"
    assert first("text", *PROVIDERS) == "gemini-3.1-flash-lite"
    assert first("text", "openai", "anthropic", "procedural-text") == "gpt-4.1"
    assert first("text", "anthropic", "procedural-text") == "claude-sonnet-5-5"
    assert first("text", "procedural-text") == "procedural-text"
    assert first("upscale", *PROVIDERS) == "nightmareai/real-esrgan"
    assert first("upscale", "realesrgan", "lanczos") == "realesrgan"
    assert first("upscale", "lanczos") == "lanczos"


@pytest.mark.parametrize(
    ("kind", "name", "instead"),
    [
        ("image", "dall-e-3", "gpt-image-2"),
        ("image", "dall-e-2", "gpt-image-2"),
        ("image", "gpt-image-1", "gpt-image-2"),
        ("text", "claude-sonnet-4-20250514", "claude-sonnet-4-6"),
        ("text", "gemini-2.5-flash-lite", "gemini-3.1-flash-lite"),
    ],
)
def test_a_name_that_has_ended_says_what_to_use_instead(kind: str, name: str, instead: str) -> None:
    with pytest.raises(ModelRetired) as caught:
        CATALOG.resolve(kind, name, configured=PROVIDERS, today=TODAY)
    assert caught.value.evidence["successor"] == instead


@pytest.mark.parametrize("name", ["gpt-image-1.5", "gpt-image-1-mini", "chatgpt-image-latest"])
def test_a_name_that_ends_within_days_is_served_with_a_warning(name: str) -> None:
    (warning,) = CATALOG.resolve("image", name, configured=PROVIDERS, today=TODAY).warnings
    assert warning.code == "model_retiring"


def test_every_successor_is_a_living_model_of_the_same_kind() -> None:
    for model in CATALOG.models:
        if model.shutdown_date is not None:
            following = CATALOG.successor(model, date(2027, 6, 1))
            assert following is not None, model.id
            assert following.kind == model.kind


def test_what_is_built_in_costs_what_it_always_did() -> None:
    prices = {}
    for name in ("procedural", "procedural-video", "procedural-text", "realesrgan", "lanczos"):
        model = CATALOG.get(name)
        assert model
        prices[name] = model.price_credits(model.with_defaults({}), "a prompt")
    assert list(prices.values()) == [1, 5, 1, 1, 1]


def test_what_is_paid_for_elsewhere_has_a_cost_and_a_price_that_covers_it() -> None:
    """A credit is about a cent."""
    for model in CATALOG.models:
        assert model.parameter_errors({}) == {}
        params = model.with_defaults({})
        usd = max(route.estimate_usd(params, "a prompt of some words") for route in model.routes)
        assert (usd > 0) == model.ai_generated or model.id == "realesrgan"
        assert model.price_credits(params, "a prompt of some words") >= usd * 100 - 1e-9, model.id


def choices(model: Model) -> Iterator[dict[str, Any]]:
    """The defaults with every choice that a price could depend on, and the extremes of numbers."""
    base = model.with_defaults({})
    for name, schema in model.parameters.items():
        ends = [schema[end] for end in ("minimum", "maximum") if end in schema]
        for value in schema.get("enum", ends):
            params = {**base, name: value}
            if not model.parameter_errors(params):
                yield params


@pytest.mark.parametrize("model", CATALOG.models, ids=lambda model: model.id)
def test_no_choice_of_parameters_costs_more_than_its_user_pays(model: Model) -> None:
    seen = 0
    for params in choices(model):
        usd = max(route.estimate_usd(params, "x" * 500, 1) for route in model.routes)
        assert model.price_credits(params, "x" * 500, 1) >= usd * 100 - 1e-6, params
        seen += 1
    assert seen or not model.parameters


@pytest.mark.parametrize("model", CATALOG.models, ids=lambda model: model.id)
def test_the_parameters_of_every_model_are_well_described(model: Model) -> None:
    """They are trusted where the catalog is loaded."""
    assert schema_problems(model) == []


def test_default_parameters_are_within_each_models_own_limits() -> None:
    for model in CATALOG.models:
        assert model.parameter_errors({}) == {}


@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        ({"width": 1000}, "multiple of 16"),
        ({"width": 3840, "height": 3840}, "too large"),
        ({"width": 512, "height": 512}, "too small"),
        ({"width": 3840, "height": 1024}, "too long"),
        ({"n": 11}, "at most 10"),
    ],
)
def test_a_picture_that_openai_would_not_make_is_refused_here(params: dict[str, int], wrong: str) -> None:
    model = CATALOG.get("gpt-image-2")
    assert model
    assert wrong in str(model.parameter_errors(params))
    assert model.parameter_errors({"width": 3840, "height": 2160, "n": 10, "quality": "high"}) == {}
