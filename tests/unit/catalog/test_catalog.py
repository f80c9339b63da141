"""Which model a request means, and what the caller is told when it means none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from safelight.catalog.catalog import Catalog
from safelight.catalog.loading import load_catalog
from safelight.catalog.model import Model
from safelight.domain.errors import ModelRetired, ModelUnavailable, UnknownModel

TODAY = date(2026, 11, 22)


def a_model(name: str, **changes: Any) -> Model:
    entry = {
        "id": name,
        "title": name.title(),
        "kind": "image",
        "routes": [{"provider": "studio", "model": name}],
        "price": {"per": "job", "credits": 3},
        "typical_s": 2,
    }
    return Model.model_validate({**entry, **changes})


def over(day: str, successor: str | None = None, provider: str = "studio") -> dict[str, Any]:
    return {"provider": provider, "model": "m", "shutdown_date": day, "successor": successor}


def test_the_shipped_catalog_offers_the_procedural_model_as_the_default_for_images() -> None:
    resolved = load_catalog().resolve("image", None, configured={"procedural"}, today=TODAY)
    assert (resolved.model.id, resolved.route.provider, resolved.warnings) == ("procedural", "procedural", ())


def test_an_alias_means_its_model() -> None:
    resolved = load_catalog().resolve("image", "procedural-image", configured={"procedural"}, today=TODAY)
    assert resolved.model.id == "procedural"


def test_the_default_is_the_first_model_that_can_run_today() -> None:
    catalog = Catalog(
        (
            a_model("retired", routes=[over("2026-11-22")]),
            a_model("elsewhere", routes=[{"provider": "unconfigured", "model": "m"}]),
            a_model("a-film", kind="video"),
            a_model("chosen"),
            a_model("later"),
        )
    )
    assert catalog.resolve("image", None, configured={"studio"}, today=TODAY).model.id == "chosen"


def test_a_route_is_good_until_the_day_before_its_shutdown() -> None:
    model = a_model("m", routes=[over("2026-12-01"), {"provider": "second", "model": "n"}])
    both = {"studio", "second"}
    before = model.usable_route(configured=both, today=date(2026, 11, 30))
    after = model.usable_route(configured=both, today=date(2026, 12, 1))
    assert before is not None
    assert after is not None
    assert (before.provider, after.provider) == ("studio", "second")


def test_a_pin_leaves_only_the_routes_at_its_provider() -> None:
    model = a_model("m", routes=[{"provider": "studio", "model": "m"}, {"provider": "second", "model": "n"}])
    both = {"studio", "second"}
    assert model.usable_route(configured=both, today=TODAY, pin="second") == model.routes[1]
    assert model.usable_route(configured={"studio"}, today=TODAY, pin="second") is None
    assert model.usable_route(configured=both, today=TODAY, pin="third") is None


def test_a_model_that_its_pinned_provider_cannot_run_says_which_provider_that_is() -> None:
    model = a_model("m", routes=[over("2026-05-12"), {"provider": "second", "model": "n"}])
    reasons = {pin: model.why_unavailable(configured={"studio"}, today=TODAY, pin=pin) for pin in ("studio", "second")}
    assert reasons["studio"] == "provider 'studio' no longer serves it"
    assert reasons["second"] == "no process of this installation has provider 'second' configured"


def test_the_route_of_a_call_that_was_made_is_found_after_its_shutdown() -> None:
    model = a_model("m", routes=[over("2026-05-12")])
    assert model.route_at("studio") == model.routes[0]
    assert model.route_at("second") is None


def test_an_unknown_model_is_refused_with_the_list_and_the_nearest_name() -> None:
    catalog = load_catalog()
    with pytest.raises(UnknownModel) as caught:
        catalog.resolve("image", "Procedral", configured={"procedural"}, today=TODAY)
    assert caught.value.evidence["supported"][-1] == "procedural"
    assert caught.value.evidence["did_you_mean"] == "procedural"


def test_a_name_near_an_alias_suggests_the_model_itself() -> None:
    catalog = Catalog((a_model("flux", aliases=["black-forest"]),))
    with pytest.raises(UnknownModel) as caught:
        catalog.resolve("image", "black-forst", configured=set(), today=TODAY)
    assert caught.value.evidence["did_you_mean"] == "flux"


def test_a_model_of_another_kind_is_said_to_be_one() -> None:
    with pytest.raises(UnknownModel) as caught:
        load_catalog().resolve("upscale", "FLUX.1-dev", configured={"procedural"}, today=TODAY)
    assert "of kind 'image'" in caught.value.remedy.text
    assert caught.value.evidence["supported"][-1] == "lanczos"


def test_the_exact_name_of_another_kinds_model_goes_before_a_near_one_of_this_kind() -> None:
    with pytest.raises(UnknownModel) as caught:
        load_catalog().resolve("image", "procedural-video", configured={"procedural"}, today=TODAY)
    assert caught.value.remedy.text == "'procedural-video' is a model of kind 'video'. Give that kind."
    assert caught.value.evidence["kind_of_nearest"] == {"model": "procedural-video", "kind": "video"}
    assert caught.value.evidence["did_you_mean"] is None


def test_an_absurdly_long_name_is_refused_without_being_repeated_in_full() -> None:
    with pytest.raises(UnknownModel) as caught:
        load_catalog().resolve("image", "x" * 1_000_000, configured=set(), today=TODAY)
    assert len(str(caught.value)) < 300


def test_a_retired_model_is_refused_with_its_successor() -> None:
    catalog = Catalog((a_model("dall-e-3", routes=[over("2026-05-12", "gpt-image-2")]),))
    with pytest.raises(ModelRetired) as caught:
        catalog.resolve("image", "dall-e-3", configured={"studio"}, today=TODAY)
    assert caught.value.evidence == {
        "model": "dall-e-3",
        "shutdown_date": "2026-05-12",
        "successor": "gpt-image-2",
    }


def test_a_model_about_to_retire_is_accepted_with_a_warning() -> None:
    catalog = Catalog((a_model("old", routes=[over("2026-12-01", "new")]),))
    (warning,) = catalog.resolve("image", "old", configured={"studio"}, today=TODAY).warnings
    assert warning.code == "model_retiring"
    assert "2026-12-01" in warning.message
    assert "'new'" in warning.message


def test_a_model_that_has_more_than_thirty_days_left_is_accepted_without_a_warning() -> None:
    catalog = Catalog((a_model("old", routes=[over("2026-12-23", "new")]),))
    assert catalog.resolve("image", "old", configured={"studio"}, today=TODAY).warnings == ()
    assert catalog.resolve("image", "old", configured={"studio"}, today=date(2026, 11, 23)).warnings != ()


def test_the_successor_named_is_one_that_lives() -> None:
    names = [a_model("a", routes=[over("2026-05-12", "b")]), a_model("b", routes=[over("2026-06-12", "c")])]
    catalog = Catalog((*names, a_model("c")))
    with pytest.raises(ModelRetired) as caught:
        catalog.resolve("image", "a", configured={"studio"}, today=TODAY)
    assert caught.value.evidence["successor"] == "c"


def test_successors_that_lead_in_a_circle_end_nowhere() -> None:
    pair = (a_model("a", routes=[over("2026-05-12", "b")]), a_model("b", routes=[over("2026-06-12", "a")]))
    assert Catalog(pair).successor(pair[0], TODAY) is None


def test_where_the_operator_allows_it_a_retired_name_means_its_successor_and_says_so() -> None:
    catalog = Catalog((a_model("a", routes=[over("2026-05-12", "b")]), a_model("b")), follow_successors=True)
    resolved = catalog.resolve("image", "a", configured={"studio"}, today=TODAY)
    assert resolved.model.id == "b"
    assert [(w.code, "'b' took its place" in w.message) for w in resolved.warnings] == [("model_replaced", True)]


def test_a_model_that_lives_on_at_another_provider_is_not_about_to_retire() -> None:
    catalog = Catalog((a_model("old", routes=[over("2026-12-01"), {"provider": "second", "model": "old"}]),))
    resolved = catalog.resolve("image", "old", configured={"studio"}, today=TODAY)
    assert resolved.warnings == ()
    assert resolved.model.shutdown_date is None


def test_a_model_whose_provider_nobody_configured_is_unavailable_and_names_the_provider() -> None:
    with pytest.raises(ModelUnavailable, match="provider 'procedural' configured"):
        load_catalog().resolve("image", "procedural", configured=set(), today=TODAY)


def test_without_any_runnable_model_the_default_says_what_its_first_choice_lacks() -> None:
    with pytest.raises(
        ModelUnavailable, match="of kind 'image' can be run here: of 'google/imagen-4-fast', the first choice, no"
    ):
        load_catalog().resolve("image", None, configured=set(), today=TODAY)


def test_a_kind_without_models_is_unavailable() -> None:
    with pytest.raises(ModelUnavailable, match="No model of kind 'video' can be run here: the catalog has none"):
        Catalog((a_model("m"),)).resolve("video", None, configured={"studio"}, today=TODAY)


def test_a_retired_model_says_so_where_its_availability_is_asked() -> None:
    model = a_model("old", routes=[over("2026-05-12"), over("2026-06-01", provider="second")])
    assert model.why_unavailable(configured={"studio"}, today=TODAY) == "it was shut down on 2026-06-01"
    assert a_model("new").why_unavailable(configured={"studio"}, today=TODAY) is None


def test_the_public_entry_has_what_clients_need() -> None:
    procedural = load_catalog().get("procedural")
    assert procedural
    entry = procedural.public()
    assert entry["ai_generated"] is False
    assert (entry["price_credits"], entry["price"]) == (1, {"per": "image", "credits": 1, "brief": "1 per image"})
    assert entry["parameters"]["properties"]["width"]["maximum"] == 2048
    assert entry["parameters"]["additionalProperties"] is False
    assert entry["shutdown_date"] is None
