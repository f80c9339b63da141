"""`safelight models ...`: tables of 80 columns, pure JSON, exit codes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from safelight.catalog.loading import load_catalog
from tests.unit.cli.conftest import Run
from tests.unit.cli.stand_in import StandIn


@pytest.fixture(autouse=True)
def known(server: StandIn) -> list[dict[str, Any]]:
    """The shipped models as a server without keys shows them."""
    models = []
    for model in load_catalog().models:
        free = "procedural" in model.id
        reason = None if free else "no REPLICATE_API_TOKEN"
        now = {"available": free, "unavailable_reason": reason, "default": free, "measured_jobs": 0}
        models.append({**model.public(), **now})
    server.replies["GET /api/models"] = 200, {"models": models}
    return models


def said(run: Run, *words: str, code: int = 0) -> str:
    result = run("models", *words)
    assert result.exit_code == code, result.output
    assert "--json" in words or max(map(len, result.stdout.splitlines()), default=0) <= 80
    return str(result.stdout)


def test_the_list_says_price_and_why_one_cannot_run(run: Run) -> None:
    lines = [line.rstrip() for line in said(run).splitlines()]
    assert said(run, "list") == said(run)
    assert [line for line in lines if not line.startswith(" ")][1:] == ["image", "video", "text", "upscale"]
    (procedural,) = [line.split() for line in lines if line.startswith("  procedural ")]
    assert procedural == ["procedural", "1/image", "0.4", "s", "default"]
    (film,) = [line.split() for line in lines if line.startswith("  bytedance/seedance-1-pro ")]
    assert film == ["bytedance/seedance-1-pro", "3-15/s", "90", "s", "no", "REPLICATE_API_TOKEN"]


def test_ids_never_break(run: Run, known: list[dict[str, Any]]) -> None:
    first = {line.split()[0] for line in said(run, "list").splitlines() if line.strip()}
    assert {model["id"] for model in known} <= first


def test_the_list_is_pure_json_and_can_be_of_one_kind(run: Run, known: list[dict[str, Any]]) -> None:
    assert json.loads(said(run, "--json")) == {"models": known}
    upscale = json.loads(said(run, "list", "--kind", "upscale", "--json"))["models"]
    assert [model["id"] for model in upscale] == ["nightmareai/real-esrgan", "realesrgan", "lanczos"]
    assert "no model is of kind 'paint'" in run("models", "list", "--kind", "paint").stderr


def test_one_model_is_shown_in_full_by_id_or_alias(run: Run, known: list[dict[str, Any]]) -> None:
    shown = said(run, "show", "imagen-4-fast")
    assert "google/imagen-4-fast" in shown
    assert "2 per image; 2 with its defaults" in shown
    assert "aspect_ratio" in shown
    assert "no REPLICATE_API_TOKEN" in shown
    assert "Ends" not in shown
    assert "2026-05-12, then gpt-image-2" in said(run, "show", "dall-e-3")
    (found,) = [model for model in known if model["id"] == "gpt-4.1"]
    assert json.loads(said(run, "show", "gpt-4.1", "--json")) == found


def test_the_limits_on_the_whole_size_are_told(run: Run) -> None:
    assert "Sizes        at least 0.7 megapixels, at most 8.3 megapixels, one side at most" in said(
        run, "show", "gpt-image-2"
    )
    limits = json.loads(said(run, "show", "gpt-image-2", "--json"))["limits"]
    assert (limits["max_pixels"], limits["max_aspect"]) == (8_294_400, 3)
    assert "Sizes" not in said(run, "show", "procedural-text")


def test_a_name_that_is_not_known_is_told_the_nearest(run: Run) -> None:
    result = run("models", "show", "imagen-4")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no model 'imagen-4'" in result.stderr
    assert "safelight models show" in result.stderr


def a_check(model: str, found: str, **changes: Any) -> dict[str, Any]:
    fine = None if found == "not_set_up" else found not in ("gone", "ends", "unfit")
    about = {"model": model, "kind": "image", "provider": "openai", "route_model": model, "note": "because"}
    return {**about, "found": found, "fine": fine, **changes}


def test_a_check_fails_where_there_is_something_to_do_and_says_that_first(run: Run, server: StandIn) -> None:
    server.replies["GET /api/health/models"] = (
        200,
        [a_check("a", "ok"), a_check("b", "not_set_up"), a_check("c", "gone")],
    )
    lines = said(run, "check", code=1).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["c", "a"]
    assert [line.split()[0] for line in said(run, "check", "--all", code=1).splitlines()[1:]] == ["c", "a", "b"]
    server.replies["GET /api/health/models"] = 200, [a_check("a", "ok"), a_check("u", "unsure")]
    assert said(run, "check")
    server.replies["GET /api/health/models"] = 200, [a_check("b", "not_set_up")]
    assert run("models", "check").stderr == "No provider is set up here.\n"
