"""`safelight credits ...` on real databases: entries, their account in 80 columns, pure JSON, exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from safelight.cli.main import app
from safelight.domain.ids import new_id
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Change
from tests.integration.cli.conftest import Run
from tests.integration.services.scene import claimed, complete, set_scene, submitted


@pytest.fixture
def job_id(database: Database) -> str:
    """A job of the user `local` that has paid 30 of their 1,000 credits."""
    name = new_id()
    with database.transaction() as tx:
        set_scene(tx, users=("local",))
        (job,) = claimed(tx, name, user="local", price=30)
        assert complete(tx, job)
    return name


def asked(run: Run, *words: str) -> Any:
    """The JSON that a command prints, which must be all that it prints."""
    result = run("credits", *words, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def said(run: Run, *words: str) -> str:
    result = run("credits", *words)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    return str(result.stdout)


def test_show_tells_what_a_user_has(run: Run, job_id: str, database: Database) -> None:
    with database.transaction() as tx:
        submitted(tx, "waits", user="local", price=20)
    assert asked(run, "show") == {"user_id": "local", "balance": 970, "held": 20, "available": 950}
    assert [line.split() for line in said(run, "show", "local").splitlines()] == [
        ["Balance", "970"],
        ["Held", "20", "for", "unfinished", "jobs"],
        ["Available", "950"],
    ]


def test_grant_is_made_once_per_reference(run: Run) -> None:
    words = ("grant", "ann", "5000", "--note", "welcome", "--reference", "invoice 7")
    assert said(run, *words) == "Granted 5,000 credits to ann.\nann can spend 5,000 credits.\n"
    assert "nothing was changed.\nann can spend 5,000 credits." in said(run, *words)
    answer = asked(run, *words)
    assert answer["replayed"] is True
    assert answer["account"]["balance"] == 5000
    refused = run("credits", "grant", "ann", "1", "--reference", "invoice 7")
    assert refused.exit_code == 1
    assert "grant of 5000 credits" in refused.stderr
    assert said(run, "grant", "ann", "1") == "Granted 1 credit to ann.\nann can spend 5,001 credits.\n"


def test_refund_takes_a_shortened_id_and_gives_back_everything_or_a_part(run: Run, job_id: str) -> None:
    answer = asked(run, "refund", job_id[-8:], "--amount", "10", "--note", "blurred")
    assert answer["account"]["balance"] == 980
    assert (answer["entry"]["job_id"], answer["entry"]["note"]) == (job_id, "blurred")
    result = run("credits", "refund", job_id)
    assert result.stdout == f"Refunded 20 credits of job {job_id} to local.\nlocal can spend 1,000 credits.\n"
    refused = run("credits", "refund", job_id)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "given back before: 30 credits" in refused.stderr


def test_refund_of_an_unknown_job_says_what_else_can_be_done(run: Run) -> None:
    refused = run("credits", "refund", new_id())
    assert refused.exit_code == 1
    assert "There is no job" in refused.stderr
    assert "Credits can be granted without a job" in refused.stderr


def test_adjust_takes_away_with_a_minus_and_needs_a_reason(run: Run, job_id: str) -> None:
    assert said(run, "adjust", "local", "-70", "--note", "x").startswith("Took 70 credits from local.\n")
    assert said(run, "adjust", "local", "5", "--note", "x").startswith("Added 5 credits to local.\n")
    too_much = run("credits", "adjust", "local", "-906", "--note", "x")
    assert too_much.exit_code == 1
    assert "at most 905" in too_much.stderr
    assert run("credits", "adjust", "local", "-1").exit_code == 2
    assert run("credits", "adjust", "local", "0", "--note", "x").exit_code == 2
    assert asked(run, "show")["balance"] == 905


def test_a_refused_correction_opens_no_account(run: Run) -> None:
    assert run("credits", "adjust", "ann", "-1", "--note", "x").exit_code == 1
    nobody = run("credits", "show", "ann")
    assert nobody.exit_code == 1
    assert "safelight credits grant ann 1000" in nobody.stderr


def test_ledger_lists_newest_first_by_pages_and_keeps_the_texts_of_others_harmless(run: Run, job_id: str) -> None:
    said(run, "adjust", "local", "-1", "--note", "a very long reason " * 5)
    lines = said(run, "ledger").splitlines()
    assert lines[0].split() == ["NUMBER", "WHEN", "KIND", "CREDITS", "HELD", "BALANCE", "FOR"]
    assert [re.split(r"\s{2,}", line.strip())[2] for line in lines[1:]] == ["adjustment", "capture", "hold", "grant"]
    assert f"job {job_id[-8:]}" in lines[2]
    first = asked(run, "ledger", "--limit", "3")
    rest = asked(run, "ledger", "local", "--limit", "3", "--before", str(first["nextBefore"]))
    assert [entry["kind"] for entry in first["entries"] + rest["entries"]] == ["adjustment", "capture", "hold", "grant"]
    assert rest["nextBefore"] is None
    assert "--before" in run("credits", "ledger", "--limit", "3").stderr


def test_whoever_wants_to_grant_less_than_nothing_is_led_to_adjust(run: Run) -> None:
    assert "safelight credits adjust" in run("credits", "grant", "ann", "-5").stderr


@pytest.mark.parametrize(
    "words",
    [
        ("grant", "ann", "0"),
        ("grant", "ann", "-5"),
        ("grant", "ann", "1.5"),
        ("grant", "ann", "1000000000001"),
        ("grant", "", "5"),
        ("grant", " ann", "5"),
        ("grant", "a\x1b[2Jnn", "5"),
        ("grant", "ann", "5", "--note", "two\nlines"),
        ("grant", "ann", "5", "--reference", "r" * 256),
        ("refund", "not-an-id"),
        ("refund", "abcd", "--amount", "0"),
        ("adjust", "ann", "--note", "x"),
    ],
)
def test_what_makes_no_sense_is_misuse_and_posts_nothing(run: Run, words: tuple[str, ...]) -> None:
    result = run("credits", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert run("credits", "show", "ann").exit_code == 1


def test_the_audit_prints_nothing_when_all_is_well(run: Run, job_id: str) -> None:
    assert said(run, "refund", job_id)
    result = run("credits", "audit")
    assert (result.exit_code, result.output) == (0, "")
    assert asked(run, "audit") == {"findings": []}


def test_the_audit_prints_a_line_for_each_finding_and_what_to_do(run: Run, job_id: str, database: Database) -> None:
    with database.transaction() as tx:
        tx.run(Change(sa.update(tables.accounts).values(balance=977)))
        tx.run(Change(sa.update(tables.jobs).values(captured=29)))
    result = run("credits", "audit")
    assert (result.exit_code, result.stderr) == (1, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "BALANCE_WRONG: Account 'local' has a balance of 977, but its last entry left 970."
    assert lines[1].startswith("  Restore the backup")
    assert lines[2].startswith(f"SETTLEMENT_WRONG: Job {job_id} captured 29 of a price of 30")
    assert len(lines) == 4
    as_json = run("credits", "audit", "--json")
    assert as_json.exit_code == 1
    (first, second) = json.loads(as_json.stdout)["findings"]
    assert set(first) == {"code", "what", "evidence", "remedy"}
    assert (first["evidence"]["balance"], first["evidence"]["entered"]) == (977, 970)
    assert second["evidence"]["id"] == job_id
    assert second["remedy"]["command"] == "safelight credits ledger local"


def test_where_no_database_is_none_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    environment = {"SAFELIGHT_DATA_DIR": str(folder), "SAFELIGHT_DATABASE_URL": None}
    result = CliRunner().invoke(app, ["credits", "show"], env=environment)
    assert result.exit_code == 1
    assert "There is no database" in result.stderr
    assert not folder.exists()
