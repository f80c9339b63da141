"""`safelight explain`: the cause, what mends it and what comes next; a job is found by whatever one has of it."""

from __future__ import annotations

import json

from safelight.store.database import Database
from tests.integration.cli.conftest import Run
from tests.integration.services.scene import set_scene, submitted

JOB = "01a21a95-6a1b-7476-af90-3f540133afc1"


def test_a_job_without_a_worker_is_explained_in_eighty_columns(run: Run, database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=())
        submitted(tx, JOB, key="my-key")
    result = run("explain", "my-key")
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0] == f"pending image fake {JOB}"
    assert "error NO_WORKER_FOR_QUEUE image · 1 job · 10 credits" in lines
    assert any("safelight worker --queue image" in line for line in lines)
    assert any(line.startswith("  would start if") and "a worker served 'image'" in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_job_that_is_well_is_found_by_the_end_of_its_id_and_exits_with_zero(run: Run, database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx)
        submitted(tx, JOB)
    result = run("explain", JOB[-8:], "--json")
    body = json.loads(result.stdout)
    assert (result.exit_code, body["job"]["id"], body["verdict"]["code"]) == (0, JOB, "HEALTHY_WAIT")


def test_what_is_not_known_here_is_not_found(run: Run, database: Database) -> None:
    assert run("explain", "no-such-thing").exit_code == 2
    assert run("explain", "01890000-0000-7000-8000-000000000000").exit_code == 1
