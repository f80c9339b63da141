"""`safelight workers`: who is there, and which releases may run jobs."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from safelight import __version__
from safelight.cli.main import app
from safelight.services.required_version import required_version
from safelight.store.connect import open_database
from safelight.store.database import Database
from tests.integration.services.scene import hire
from tests.unit.cli.conftest import Run
from tests.unit.cli.stand_in import StandIn

WORKER = {
    "worker": "0199a2c4-0000-7000-8000-00000000beef",
    "role": "api+worker",
    "status": "online",
    "lastHeartbeat": "2026-01-02T03:04:05.000Z",
    "queues": ["image", "video"],
    "slots": 4,
    "busy": 3,
    "version": "0.1.0",
}


def shows(server: StandIn, *workers: dict[str, Any]) -> None:
    server.replies["GET /api/health/workers"] = 200, list(workers)


def test_the_list_fits_80_columns(run: Run, server: StandIn) -> None:
    shows(server, WORKER, {**WORKER, "role": "api", "slots": 0, "busy": 0, "queues": []})
    result = run("workers", "list")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert max(map(len, lines)) <= 80
    assert lines[1].split()[:5] == ["0000beef", "api+worker", "online", "3/4", "0.1.0"]
    assert lines[2].split()[:4] == ["0000beef", "api", "online", "-"]


@pytest.mark.parametrize("there", [[], [{**WORKER, "slots": 0}], [{**WORKER, "status": "offline"}]])
def test_without_one_that_runs_jobs_the_exit_code_says_so(
    run: Run, server: StandIn, there: list[dict[str, Any]]
) -> None:
    shows(server, *there)
    assert run("workers", "list").exit_code == 1
    assert json.loads(run("workers", "list", "--json").stdout) == there


def require(database_url: str, *words: str) -> Result:
    environment = {"SAFELIGHT_DATABASE_URL": database_url}
    return CliRunner().invoke(app, ["workers", "require", *words], env=environment)


def test_a_version_can_be_required_and_all_be_allowed_again(database: Database, database_url: str) -> None:
    with database.transaction() as tx:
        hire(tx, "old")  # of version 0
        assert required_version(tx) is None
    answer = require(database_url, __version__, "--json")
    assert json.loads(answer.stdout) == {"min_worker_version": __version__, "older": ["old"]}
    with database.reading() as tx:
        assert required_version(tx) == __version__
    assert "No older one" in require(database_url, "0").stdout
    with database.reading() as tx:
        assert required_version(tx) == "0"


@pytest.mark.parametrize(("version", "why"), [("999.0", "upgrade it first"), ("new", "not a version")])
def test_nobody_can_ask_for_what_does_not_exist(sqlite_url: str, version: str, why: str) -> None:
    refused = require(sqlite_url, version)
    assert refused.exit_code == 2
    assert why in " ".join(refused.output.split())
    with closing(open_database(sqlite_url)) as database, database.reading() as tx:
        assert required_version(tx) is None


def test_a_place_without_a_database_gets_none(tmp_path: Path) -> None:
    assert require(f"sqlite:///{tmp_path}/none.db", "0").exit_code != 0
    assert list(tmp_path.iterdir()) == []
