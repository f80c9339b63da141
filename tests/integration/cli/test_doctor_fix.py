"""`safelight doctor --fix`: the plan first, then only what is safe, and the same again changes nothing."""

from __future__ import annotations

import json
from typing import Any

from safelight.services.audit import audit
from safelight.services.cancel import cancel
from safelight.store.database import Database
from safelight.store.tx import Tx
from tests.integration.cli.conftest import Run
from tests.integration.services.scene import job, running, set_scene, submitted
from tests.integration.services.test_audit import run as run_sql


def changed(database: Database, *statements: str) -> None:
    """By a hand in the database."""
    with database.transaction() as tx:
        run_sql(tx, *statements)


def fixed(run: Run, *words: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(run("doctor", "--fix", "--json", *words).stdout)
    return body


def status_of(database: Database, name: str) -> str:
    with database.reading() as tx:
        return str(job(tx, name).status)


def audited(tx: Tx) -> list[str]:
    return [finding.code for finding in audit(tx)]


def test_jobs_of_workers_that_are_gone_go_back_and_their_rows_are_forgotten(run: Run, database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=("w1",))
        running(tx, "a")
    changed(database, "UPDATE workers SET beat_at = beat_at - 3600")
    planned = fixed(run, "--dry-run")
    first = planned["plan"][0]
    assert (first["code"], first["effect"]) == ("LEASE_EXPIRED", {"processes": 1})
    assert planned["done"] == []
    assert status_of(database, "a") == "processing", "a plan changes nothing"
    done = fixed(run, "--yes")
    assert done["done"][0]["done"] == "1 job went back, 1 process forgotten."
    assert status_of(database, "a") == "pending"
    assert "LEASE_EXPIRED" not in {cure["code"] for cure in fixed(run, "--yes")["plan"]}


def test_a_process_that_beats_keeps_its_job(run: Run, database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=("w1",))
        running(tx, "a")
    fixed(run, "--yes")
    assert status_of(database, "a") == "processing"


def test_what_accounts_hold_is_counted_anew(run: Run, database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=("w1",))
        submitted(tx, "a")
    changed(database, "UPDATE accounts SET held = held + 7")
    plan = fixed(run, "--dry-run")["plan"]
    assert [(cure["code"], cure["effect"]) for cure in plan] == [("LEDGER_MISMATCH", {"accounts": 1, "credits": 7})]
    assert fixed(run, "--yes")["done"][0]["done"] == "1 account put right."
    with database.reading() as tx:
        assert audited(tx) == []


def test_the_hold_of_an_ended_job_is_released_with_an_entry(run: Run, database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=("w1",))
        submitted(tx, "a")
        cancel(tx, "a", "ann")
    changed(
        database,
        "UPDATE accounts SET held = held + 10 WHERE user_id = 'ann'",
        "DELETE FROM ledger WHERE kind = 'release'",
    )
    (cure,) = fixed(run, "--yes")["plan"]
    assert cure["effect"] == {"jobs": 1, "credits": 10}
    with database.reading() as tx:
        assert audited(tx) == []
    assert fixed(run, "--yes")["plan"] == []


def test_without_a_word_of_agreement_nothing_is_done(run: Run, database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=("w1",))
    changed(database, "UPDATE accounts SET held = held + 7")
    result = run("doctor", "--fix")
    assert "Set what 1 account hold" in result.stdout
    assert "Nothing was changed. Add --yes to do it." in result.stderr
    with database.reading() as tx:
        assert audited(tx) == ["HELD_WRONG"]


def test_what_it_may_not_mend_it_names_with_what_to_do(run: Run, database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=())
        submitted(tx, "a")
    said = run("doctor", "--fix").stdout
    assert "Not to be mended without you:" in said
    assert "NO_WORKER_FOR_QUEUE" in said
    assert "safelight worker --queue image" in said


def test_agreement_without_a_plan_is_a_mistake(run: Run) -> None:
    assert run("doctor", "--yes").exit_code == 2
    assert run("doctor", "--watch", "--fix").exit_code == 2
