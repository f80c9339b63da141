"""`safelight recover plan` and its like, and `jobs cancel` and `retry` of many: what they say, ask and do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from safelight.cli import many
from safelight.services import recovery_effect
from safelight.store.database import Database
from tests.integration.cli.conftest import Run
from tests.integration.services.scene import claimed, job, set_scene, submitted

STUCK = 12


@pytest.fixture(autouse=True)
def stuck(database: Database) -> None:
    """Jobs that wait, and one that runs."""
    with database.transaction() as tx:
        set_scene(tx, users=("ann", "local"))
        claimed(tx, "runs")
        submitted(tx, *(f"a{n}" for n in range(STUCK - 2)))
        submitted(tx, "mine 1", "mine 2", user="local")


def asked(run: Run, *words: str, exit_code: int = 0) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def carry_out(database: Database) -> None:
    with database.transaction() as tx:
        for number in recovery_effect.due(tx):
            while recovery_effect.carry_out(tx, number).goes_on:
                pass


def test_a_dry_run_shows_some_jobs_and_what_is_left_alone_in_80_columns(run: Run) -> None:
    words = ("recover", "plan", "--queue", "image", "--status", "pending", "--status", "processing", "--requeue")
    told = run(*words, "--dry-run")
    assert told.exit_code == 0, told.output
    lines = told.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[:2] == [
        f"{STUCK} jobs of 2 users, {10 * STUCK} credits.",
        "Left alone: 1 job, because a worker runs it.",
    ]
    assert lines[-1] == "... and 2 more."
    assert asked(run, "recover", "list") == {"recoveries": []}


def test_where_nobody_can_be_asked_nothing_is_planned_without_yes(run: Run) -> None:
    told = run("recover", "plan", "--queue", "image", "--fail")
    assert (told.exit_code, told.stderr) == (1, "Nothing was planned. Add --yes to do it.\n")
    assert asked(run, "recover", "plan", "--queue", "image", "--fail", exit_code=1)["planned"] is False


def test_a_plan_is_shown_stopped_and_shown_again(run: Run) -> None:
    planned = run("recover", "plan", "--queue", "image", "--fail", "--message", "Sorry.", "--yes")
    assert planned.exit_code == 0, planned.output
    number = planned.stdout.splitlines()[-1]
    assert f"Stop it before: safelight recover stop {number}" in planned.stderr
    shown = run("recover", "show", number[-8:]).stdout
    assert "Users are told: Sorry." in shown
    assert "Jobs: status pending, queue image" in shown
    assert run("recover", "stop", number[-8:]).stdout == f"Recovery {number} is stopped: no job was touched.\n"
    assert "Stopped by local" in run("recover", "show", number).stdout
    again = run("recover", "stop", number)
    assert (again.exit_code, "it was stopped before" in again.stderr) == (1, True)
    assert number[-8:] in run("recover", "list").stdout


def test_at_once_it_is_due_at_once_and_says_later_what_became_of_each(run: Run, database: Database) -> None:
    planned = asked(run, "recover", "plan", "--user", "ann", "--fail", "--now", "--yes")
    assert (planned["planned"], planned["jobs"]) == (True, STUCK - 2)
    carry_out(database)
    shown = asked(run, "recover", "show", planned["id"])
    assert (shown["state"], shown["outcomes"]) == ("done", {"failed": STUCK - 2})
    assert {each["outcome"] for each in shown["members"]} == {"failed"}
    assert f"What became of them: {STUCK - 2} failed" in run("recover", "show", planned["id"]).stdout


@pytest.mark.parametrize(
    ("typed", "words", "planned"),
    [
        ("y\n", (), True),
        ("n\n", (), False),
        ("\n", (), False),
        (f"{STUCK}\n", ("--now",), True),
        ("y\n", ("--now",), False),
        (f"{STUCK + 1}\n", ("--now",), False),
    ],
)
def test_what_can_be_stopped_takes_a_yes_and_what_cannot_the_number_of_jobs(
    run: Run, monkeypatch: pytest.MonkeyPatch, typed: str, words: tuple[str, ...], planned: bool
) -> None:
    monkeypatch.setattr(many, "somebody_is_there", lambda: True)
    told = run("recover", "plan", "--queue", "image", "--fail", *words, typed=typed)
    assert told.exit_code == (0 if planned else 1), told.output
    assert len(asked(run, "recover", "list")["recoveries"]) == planned


@pytest.mark.parametrize(
    "words",
    [
        ("--queue", "image"),
        ("--fail", "--requeue", "--queue", "image"),
        ("--fail",),
        ("--fail", "--queue", "image", "--now", "--after", "5m"),
        ("--fail", "--label", "x"),
    ],
)
def test_a_plan_says_what_is_done_and_with_which_jobs(run: Run, words: tuple[str, ...]) -> None:
    assert run("recover", "plan", *words).exit_code == 2


def test_ones_own_jobs_are_canceled_by_a_filter_and_nobody_elses(run: Run, database: Database) -> None:
    assert run("jobs", "cancel").exit_code == 2
    assert run("jobs", "cancel", "abcd", "--kind", "image").exit_code == 2
    dry = asked(run, "jobs", "cancel", "--kind", "image", "--dry-run")
    assert (dry["jobs"], dry["applied"]) == (2, False)
    assert run("jobs", "cancel", "--kind", "image", "--dry-run").stdout.startswith("2 jobs, 20 credits.\n")
    done = run("jobs", "cancel", "--kind", "image", "--yes")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "2 canceled.")
    with database.reading() as tx:
        assert job(tx, "mine 1").status == job(tx, "mine 2").status == "canceled"
        assert job(tx, "a1").status == "pending"
    assert run("jobs", "cancel", "--kind", "image", "--yes").exit_code == 1
