"""The ledger as it is read: whole and in order however it is paged, with the ids of jobs that still exist."""

from __future__ import annotations

import sqlalchemy as sa

from safelight.services.read_ledger import Line, ledger_page, line_body
from safelight.services.sql import arg
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Change
from safelight.store.tx import Tx
from tests.integration.services.scene import claimed, complete, scene, submitted

_PRUNE = Change(sa.delete(tables.jobs).where(tables.jobs.c.id == arg("public_id")))


def whole_ledger(tx: Tx, user: str, limit: int) -> list[Line]:
    lines, more = ledger_page(tx, user, limit)
    while more is not None:
        page, more = ledger_page(tx, user, limit, more)
        assert 0 < len(page) <= limit
        lines += page
    return lines


def test_an_accounts_entries_come_newest_first_and_once_each_however_they_are_paged(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        submitted(tx, *(f"a{n}" for n in range(9)))
        submitted(tx, *(f"b{n}" for n in range(4)), user="bob")
        whole = whole_ledger(tx, "ann", 1000)
        assert [line.job_id for line in whole] == [*(f"a{n}" for n in reversed(range(9))), None]
        assert {line.user_id for line in whole} == {"ann"}
        for limit in (1, 3, 9, 10, 11):
            assert whole_ledger(tx, "ann", limit) == whole
        assert ledger_page(tx, "nobody", 5) == ([], None)


def test_an_entry_outlives_its_job_and_then_names_none(shared: Database) -> None:
    with scene(shared) as tx:
        (job,) = claimed(tx, "a")
        assert complete(tx, job)
        before = whole_ledger(tx, "ann", 10)
        assert tx.run(_PRUNE, public_id="a") == 1
        after = whole_ledger(tx, "ann", 10)
        assert [line.job_id for line in before] == ["a", "a", None]
        assert after == [line._replace(job_id=None) for line in before]


def test_what_an_entry_shows_has_no_internal_number_of_job_or_account(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", price=12)
        line = ledger_page(tx, "ann", 1)[0][0]
        shown = line_body(line)
        assert shown.pop("at").endswith("Z")
        assert shown == {
            "number": line.number,
            "kind": "hold",
            "balance_delta": 0,
            "held_delta": 12,
            "balance_after": 1_000,
            "job_id": "a",
            "reference": None,
            "note": "",
        }
