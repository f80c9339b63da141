"""`safelight verify`: the checklist of a deployment, point by point, with what to do about what is not in order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from safelight.cli.checklist import FOUND_BY
from safelight.diagnosis.rules import RULES
from safelight.store.database import Database
from tests.integration.cli.conftest import Run
from tests.integration.services.scene import set_scene, submitted


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "data" / "assets").mkdir(parents=True)
    return {"SAFELIGHT_DATA_DIR": str(tmp_path / "data")}


def points(run: Run, *words: str, **settings: str) -> dict[str, dict[str, Any]]:
    result = run("verify", "--json", *words, **settings)
    body = json.loads(result.stdout)
    assert result.exit_code == (0 if body["ok"] else 1)
    return {point["check"]: point for point in body["checks"]}


def test_an_installation_in_order_passes_every_point(run: Run, database: Database, place: dict[str, str]) -> None:
    with database.transaction() as tx:
        set_scene(tx)
    found = points(run, **place)
    assert {name: point["said"] for name, point in found.items() if point["ok"] is not True} == {}
    assert {"packages", "schema", "storage", "workers", "jobs of kind image", "jobs of kind text"} <= set(found)


def test_before_anything_runs_workers_are_not_asked_for(run: Run, database: Database, place: dict[str, str]) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=())
        submitted(tx, "a")
    assert points(run, **place)["workers"]["ok"] is False
    before = points(run, "--before", **place)
    assert before["workers"]["ok"] is None
    assert all(point["ok"] is not False for point in before.values())


def test_each_point_that_is_not_in_order_says_what_to_do(run: Run, place: dict[str, str]) -> None:
    dead = "postgresql://postgres@127.0.0.1:9/gone"
    found = points(run, SAFELIGHT_DATABASE_URL=dead, SAFELIGHT_WORKER_CONCURENCY="4", **place)
    wrong = {name: point["remedy"]["text"] for name, point in found.items() if point["ok"] is False}
    assert {"settings", "database"} <= set(wrong)
    assert all(wrong.values())
    assert found["workers"]["ok"] is None, "nothing can be said of them"


def test_in_a_terminal_it_is_a_line_each(run: Run, database: Database, place: dict[str, str]) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=())
        submitted(tx, "a")
    said = run("verify", **place).stdout.splitlines()
    assert any(line.startswith("ok     packages: Safelight ") for line in said)
    at = next(n for n, line in enumerate(said) if line.startswith("FAILED workers: 1 job waits in queue 'image'"))
    assert said[at + 1].strip() == "Start a worker for it. (safelight worker --queue image)"
    assert said[-1] == "1 point not in order."


def test_it_asks_for_codes_that_there_are() -> None:
    codes = {code for rule in RULES for code in rule.codes}
    assert {code for wanted in FOUND_BY.values() for code in wanted} <= codes
