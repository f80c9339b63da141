"""Tiers: a group of users with its own models, limits and prices, seen through its own view of the catalog."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from safelight.catalog.catalog import Catalog
from safelight.catalog.loading import load_catalog
from safelight.catalog.model import Model
from safelight.catalog.parameters import parameter_errors
from safelight.catalog.pixels import pixels_of
from safelight.catalog.tiers import Tier, smaller
from safelight.catalog.views import for_tier
from safelight.domain.errors import BadCatalog, ModelUnavailable

TODAY = date(2026, 11, 26)
EVERYWHERE = {"openai", "replicate", "procedural", "gemini"}


def catalog(tmp_path: Path, text: str) -> Catalog:
    file = tmp_path / "own.toml"
    file.write_text(text)
    return load_catalog(file)


def model(view: Catalog, name: str) -> Model:
    found = view.get(name)
    assert found
    return found


FREE = """
[tiers.free]
allow = ["procedural*", "gpt-image-2", "imagen-4-fast"]
deny = ["procedural-text"]
running_cap = 1
max_n = 2
max_pixels = 500_000
max_batch = 10
price_factor = 0.5

[tiers.free.prices.procedural]
credits = 8
"""


def test_a_tier_has_its_own_models_by_id_alias_and_pattern(tmp_path: Path) -> None:
    view = for_tier(catalog(tmp_path, FREE), "free")
    allowed = {m.id for m in view.models} - view.denied
    assert allowed == {"procedural", "procedural-video", "gpt-image-2", "google/imagen-4-fast"}
    with pytest.raises(ModelUnavailable, match="tier 'free' does not include it"):
        view.resolve("image", "seedream-4", configured=EVERYWHERE, today=TODAY)
    with pytest.raises(ModelUnavailable, match="tier 'free' includes none"):
        view.resolve("text", None, configured=EVERYWHERE, today=TODAY)
    assert view.resolve("image", None, configured={"procedural", "huggingface"}, today=TODAY).model.id == "procedural"


def test_a_tier_has_its_own_prices(tmp_path: Path) -> None:
    own = catalog(tmp_path, FREE)
    view = for_tier(own, "free")
    assert model(view, "procedural").price_credits({"n": 2}) == 8
    assert model(view, "imagen-4-fast").price_credits({"n": 1}) == 1
    assert model(view, "gpt-image-2").price_credits({"quality": "high", "width": 1024, "height": 1024}) == 11
    assert model(own, "procedural").price_credits({"n": 2}) == 2
    assert model(view, "imagen-4-fast").public()["price"]["brief"] == "1 per image"


def test_a_plain_price_of_a_tier_takes_the_place_of_all_amounts(tmp_path: Path) -> None:
    view = for_tier(catalog(tmp_path, "[tiers.flat.prices.gpt-image-2]\nper = 'image'\ncredits = 3\n"), "flat")
    assert {model(view, "gpt-image-2").price_credits({"quality": q}) for q in ("low", "high")} == {3}


def test_a_tier_limits_outputs_and_pixels_and_its_defaults_obey(tmp_path: Path) -> None:
    drawn = model(for_tier(catalog(tmp_path, FREE), "free"), "procedural")
    assert drawn.parameter_errors({"n": 3})["params.n"] == ["must be at most 2, got 3"]
    assert "too large" in str(drawn.parameter_errors({"width": 1024, "height": 512}))
    assert (pixels_of(drawn.with_defaults({})) or 0) <= 500_000


@pytest.mark.parametrize("most", [300_000, 1_000_000, 20_000_000])
def test_every_shipped_models_defaults_stay_valid_on_a_smaller_tier(most: int) -> None:
    for shipped in load_catalog().models:
        limited = Tier(max_pixels=most).model(shipped)
        defaults = {name: schema["default"] for name, schema in limited.parameters.items() if "default" in schema}
        assert parameter_errors(limited.validators, defaults) == {}, shipped.id


def test_a_default_resolution_is_lowered_to_one_that_fits() -> None:
    film = model(load_catalog(), "bytedance/seedance-1-pro")
    resolution = smaller(film.parameters, 1_000_000)["resolution"]
    assert (resolution["enum"], resolution["default"]) == (["480p", "720p"], "720p")


def test_who_is_in_no_tier_belongs_to_the_default_if_there_is_one(tmp_path: Path) -> None:
    own = catalog(tmp_path, "[tiers.default]\nmax_n = 1\n[tiers.pro]\n")
    assert (for_tier(own, None).tier, for_tier(own, "gone").tier, for_tier(own, "pro").tier) == (
        "default",
        "default",
        "pro",
    )
    plain = load_catalog()
    assert for_tier(plain, None) is plain


def problems(tmp_path: Path, text: str) -> Any:
    with pytest.raises(BadCatalog) as caught:
        catalog(tmp_path, text)
    return caught.value.evidence["problems"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tiers = 1\n", "has `tiers` that is no table"),
        ("[tiers.a]\nallow = ['procedral']\n", "tiers.a.allow: 'procedral' names no model; did you mean 'procedural'?"),
        ("[tiers.a]\ndeny = ['zzz']\n", "tiers.a.deny: 'zzz' names no model"),
        ("[tiers.a]\nmax_m = 1\n", "tiers.a.max_m: is not a field of a tier; there are: allow, deny, running_cap"),
        ("[tiers.a]\nrunning_cap = 0\n", "tiers.a.running_cap: input should be greater"),
        ("[tiers.a.prices.zzz]\ncredits = 1\n", "tiers.a.prices: 'zzz' names no model"),
        ("[tiers.a.prices.procedural]\ncredits = -1\n", "tiers.a.prices.procedural: Input should be greater"),
    ],
)
def test_what_is_wrong_with_a_tier_is_named(tmp_path: Path, text: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in problems(tmp_path, text)), problems(tmp_path, text)
