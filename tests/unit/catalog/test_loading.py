"""The operator's file changes and extends the shipped catalog, and says precisely what is wrong with itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from safelight.catalog.limits import NO_LIMITS
from safelight.catalog.loading import load_catalog
from safelight.domain.errors import BadCatalog

OWN_MODEL = """
[[models]]
id = "house/engraver"
title = "Engraver"
kind = "image"
typical_s = 9
price = { per = "job", credits = 5 }
routes = [{ provider = "house", model = "engraver-7" }]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own.toml"


def problems_of(file: Path) -> list[str]:
    with pytest.raises(BadCatalog) as caught:
        load_catalog(file)
    assert str(file) in str(caught.value)
    found: list[str] = caught.value.evidence["problems"]
    return found


def test_what_is_allowed_at_a_provider_stands_in_its_own_table(own: Path) -> None:
    own.write_text("[providers.acme]\nconcurrency = 4\ndaily_usd = 2.5\n")
    limits = load_catalog(own).limits_of("acme")
    assert (limits.concurrency, limits.requests_per_minute, limits.daily_usd) == (4, None, 2.5)
    assert load_catalog(own).limits_of("other") == NO_LIMITS


def test_a_new_model_comes_before_the_built_in_ones_and_takes_its_kind_as_queue(own: Path) -> None:
    own.write_text(OWN_MODEL)
    catalog = load_catalog(own)
    assert [model.id for model in catalog.models] == ["house/engraver", *(m.id for m in load_catalog().models)]
    assert catalog.models[0].queue == "image"
    assert catalog.models[0].ai_generated is True


def test_what_only_follows_from_another_error_is_not_told(own: Path) -> None:
    own.write_text(OWN_MODEL.replace("provider =", "provder ="))
    assert [problem.partition(":")[0] for problem in problems_of(own)] == [
        "house/engraver.routes[0].provider",
        "house/engraver.routes[0].provder",
    ]
    own.write_text(OWN_MODEL.replace('[{ provider = "house", model = "engraver-7" }]', "[]"))
    (problem,) = problems_of(own)
    assert "at least 1 item" in problem


def test_a_known_model_is_changed_value_by_value(own: Path) -> None:
    own.write_text(
        '[[models]]\nid = "procedural"\nqueue = "fast"\nprice = { credits = 2 }\n'
        "[models.parameters.width]\nmaximum = 1024\n"
    )
    model = load_catalog(own).get("procedural")
    assert model
    assert (model.queue, model.price.credits, model.price.per) == ("fast", 2, "image")
    assert model.parameters["width"]["maximum"] == 1024
    assert model.parameters["width"]["minimum"] == 256
    assert model.parameters["height"]["maximum"] == 2048


def test_an_empty_file_changes_nothing(own: Path) -> None:
    own.write_text("")
    assert load_catalog(own) == load_catalog()


def test_a_missing_file_is_named(own: Path) -> None:
    assert problems_of(own) == ["cannot be read: No such file or directory"]


def test_broken_toml_is_reported_with_its_line(own: Path) -> None:
    own.write_text("[[models]]\nid = \n")
    assert "line 2" in problems_of(own)[0]


def test_text_that_is_not_utf8_is_reported(own: Path) -> None:
    own.write_bytes(b'[[models]]\nid = "\xff"\n')
    assert "cannot be read" in problems_of(own)[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[model]\n", "has an unknown key 'model'"),
        ("providers = 3\n", "has `providers` that is no table"),
        ("[providers.acme]\nconcurency = 3\n", "providers.acme.concurency: is not a limit; there are: concurrency"),
        ("[providers.acme]\nconcurrency = 0\n", "providers.acme.concurrency: input should be greater"),
        ("[providers.acme]\ndaily_usd = true\n", "providers.acme.daily_usd: value error, true and false"),
        ("follow_successors = 1\n", "has follow_successors = 1"),
        (OWN_MODEL.replace("credits = 5", "credit = 5"), "house/engraver.price: value error, a price per job needs"),
        ("models = 3\n", "has `models` that is not a list of tables"),
        ("[[models]]\ntitle = 'x'\n", "has an entry without an id (models[0])"),
        (OWN_MODEL + OWN_MODEL, "names model 'house/engraver' twice"),
        (OWN_MODEL.replace("typical_s", "typical"), "house/engraver.typical_s: is missing"),
        (OWN_MODEL + "titel = 'x'\n", "house/engraver.titel: is not a field of a model; did you mean 'title'?"),
        (OWN_MODEL.replace("credits = 5", "credits = -5"), "house/engraver.price.credits: input should be greater"),
        (OWN_MODEL.replace("credits = 5", "credits = true"), "house/engraver.price.credits: input should be"),
        (OWN_MODEL.replace('"image"', '"painting"'), "house/engraver.kind: input should be 'image'"),
        (OWN_MODEL.replace("house/engraver", "house engraver"), "house engraver.id: string should match"),
        (OWN_MODEL.replace("routes = [{", "routes = []\nx = [{"), "house/engraver.routes: tuple should have at least"),
        (OWN_MODEL + "aliases = ['procedural']\n", "house/engraver.aliases: 'procedural' already names 'procedural'"),
        (
            OWN_MODEL + "[models.parameters.steps]\ntype = 'numeral'\n",
            "house/engraver.parameters: not valid JSON Schema at type",
        ),
        (
            OWN_MODEL + "[models.parameters.steps]\ntype = 'integer'\nmaximum = 9\ndefault = 10\n",
            "house/engraver.parameters.steps.default: must be at most 9, got 10",
        ),
    ],
)
def test_a_wrong_field_is_named_with_the_model(own: Path, text: str, problem: str) -> None:
    own.write_text(text)
    assert any(found.startswith(problem) for found in problems_of(own)), problems_of(own)


def test_everything_wrong_is_reported_at_once(own: Path) -> None:
    own.write_text(OWN_MODEL.replace("typical_s = 9", "typical_s = 0") + "titel = 'x'\nai_generated = 'perhaps'\n")
    assert len(problems_of(own)) == 3
