"""`safelight recover` and `safelight queue` on a small installation: what they say, ask and do."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from safelight.cli.main import app
from safelight.store import tables
from safelight.store.connect import open_database
from safelight.store.statements import Change
from tests.integration.services.scene import job, running, set_scene, submitted

Operate = Callable[..., Result]


@pytest.fixture
def operate(tmp_path: Path, sqlite_template: Path) -> Operate:
    """Run a command on an installation as it comes from a backup: a job whose call was being sent, one that waits."""
    shutil.copyfile(sqlite_template, tmp_path / "safelight.db")
    database = open_database(f"sqlite:///{tmp_path}/safelight.db")
    with database.transaction() as tx:
        set_scene(tx)
        running(tx, "sending", repeatable=False)
        submitted(tx, "waiting")
        tx.run(Change(sa.delete(tables.workers)))
    database.close()
    environment: dict[str, str | None] = dict.fromkeys(name for name in os.environ if name.startswith("SAFELIGHT_"))
    environment |= {"SAFELIGHT_DATA_DIR": str(tmp_path), "COLUMNS": "80"}
    return lambda *words, **more: CliRunner().invoke(app, list(words), env=environment | more)


def row(tmp_path: Path, name: str) -> Any:
    database = open_database(f"sqlite:///{tmp_path}/safelight.db")
    with database.reading() as tx:
        found = job(tx, name)
    database.close()
    return found


def test_where_nobody_can_be_asked_the_plan_is_told_and_nothing_done(operate: Operate, tmp_path: Path) -> None:
    told = operate("recover", "--after-restore")
    assert told.exit_code == 1
    assert told.stdout.splitlines() == [
        "To be paused: 2 queues.",
        "With workers that are gone, to be taken back: 1 job.",
        "Being sent, so perhaps accepted, to become unknown: 1 call.",
        "1 job without a call, perhaps sent after the backup, wait for your word and hold 10 credits.",
    ]
    assert "Nothing was changed. Add --yes to do it." in told.stderr
    assert row(tmp_path, "sending").status == "processing"


def test_with_yes_it_is_done_and_says_how_to_go_on(operate: Operate, tmp_path: Path) -> None:
    done = operate("recover", "--after-restore", "--yes")
    assert done.exit_code == 0, done.output
    assert "Paused 2 queues." in done.stdout
    assert "safelight queue resume --all" in done.stdout
    assert row(tmp_path, "sending").resumes
    assert row(tmp_path, "waiting").status == "pending"
    assert operate("queue", "resume", "--all").stdout.splitlines() == [
        "Queue image goes on; 1 job got more time.",
        "Queue video goes on; 0 jobs got more time.",
    ]
    assert operate("queue", "resume", "--all").stdout == "No queue was paused.\n"


def test_jobs_without_a_call_fail_only_when_told_to(operate: Operate, tmp_path: Path) -> None:
    done = operate("recover", "--after-restore", "--fail-unsent", "--yes", "--json")
    assert json.loads(done.stdout) == {
        "applied": True,
        "queues": 2,
        "processing": 1,
        "unknown": 1,
        "unsent_failed": 1,
    }
    assert row(tmp_path, "waiting").status == "failed"


def test_after_an_outage_waiting_jobs_get_the_time_back(operate: Operate, tmp_path: Path) -> None:
    before = row(tmp_path, "waiting").deadline_at
    planned = operate("recover", "--after-outage", "2h", "--json")
    assert (json.loads(planned.stdout)["jobs"], planned.exit_code) == (1, 1)
    assert row(tmp_path, "waiting").deadline_at == before
    done = operate("recover", "--after-outage", "2h", "--yes")
    assert (done.stdout.splitlines()[-1], done.exit_code) == ("Gave 1 job more time.", 0)
    assert row(tmp_path, "waiting").deadline_at == before + 7_200


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--after-restore", "--after-outage", "1h"),
        ("--after-outage", "1h", "--fail-unsent"),
        ("--after-outage", "x"),
    ],
)
def test_words_that_do_not_fit_together_are_refused(operate: Operate, words: tuple[str, ...]) -> None:
    assert operate("recover", *words).exit_code == 2


def test_queues_are_listed_paused_and_let_go_on_by_name(operate: Operate) -> None:
    assert operate("queue", "pause", "image", "--reason", "provider is down").stdout == "Queue image is paused.\n"
    assert operate("queue", "pause", "image").stdout == "Queue image was paused before.\n"
    listed = operate("queue", "list").stdout.splitlines()
    assert [line.split() for line in listed] == [
        ["QUEUE", "READY", "DELAYED", "PARKED", "RUNNING", "STATE"],
        ["image", "1", "0", "0", "1", "paused", "provider", "is", "down"],
        ["video", "0", "0", "0", "0", "open"],
    ]
    assert json.loads(operate("queue", "list", "--json").stdout)[0]["pause_reason"] == "provider is down"
    assert json.loads(operate("queue", "resume", "image", "--json").stdout) == {"image": 1}
    for words in (("pause", "imagee"), ("resume", "imagee")):
        refused = operate("queue", *words)
        assert (refused.exit_code, "There is no queue 'imagee'." in refused.stderr) == (1, True)
    assert operate("queue", "resume").exit_code == 2
