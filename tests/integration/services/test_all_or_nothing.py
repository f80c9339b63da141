"""A transaction that makes jobs and is cut off anywhere leaves nothing; run to its end it leaves all."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from safelight.services.replay import resume
from safelight.services.submission import Submitted
from safelight.services.submit import submit
from safelight.services.submit_batch import submit_batch
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Query
from safelight.store.tx import Tx
from safelight.testing.books import assert_books_balance
from tests.integration.services.scene import batch_wish, set_scene, wish
from tests.integration.services.test_replay import asked, failed

MOST_STATEMENTS = 60
_ROWS = {
    name: Query(sa.select(*table.c), namedtuple("Row", [column.name for column in table.c], rename=True))
    for name, table in tables.metadata.tables.items()
}


class PowerCut(Exception):
    """Nothing runs any more."""


def cut_off(tx: Tx, after: int) -> None:
    """Let so many statements of the transaction pass, and none beyond."""
    passed = 0

    def cutting(execute: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **values: Any) -> Any:
            nonlocal passed
            if passed == after:
                raise PowerCut
            passed += 1
            return execute(*given, **values)

        return run

    for name in ("run", "all", "_many", "lock"):
        setattr(tx, name, cutting(getattr(tx, name)))


def everything(database: Database) -> dict[str, list[str]]:
    """Every row of every table."""
    with database.reading() as tx:
        return {name: sorted(map(repr, tx.all(rows))) for name, rows in _ROWS.items()}


def submit_one(tx: Tx) -> Any:
    (answer,) = submit(tx, [wish("new", key="k", price=7)])
    return answer


def submit_a_batch(tx: Tx) -> Any:
    return submit_batch(tx, batch_wish("new", ["i1", "i2", "i3"], key="k", price=7))


def resume_by_a_poll(tx: Tx) -> Any:
    return resume(tx, asked(tx, "a", "new", key="k"))


def resume_with_late_files(tx: Tx) -> Any:
    return resume(tx, asked(tx, "b", "new", key="k"))


@pytest.mark.parametrize("make", [submit_one, submit_a_batch, resume_by_a_poll, resume_with_late_files])
def test_cut_off_before_any_of_its_statements_it_leaves_nothing(database: Database, make: Callable[[Tx], Any]) -> None:
    with database.transaction() as tx:
        set_scene(tx)
        failed(tx, "a")
        failed(tx, "b", late=True)
    before = everything(database)
    for statements in range(MOST_STATEMENTS):
        try:
            with database.transaction() as tx:
                cut_off(tx, statements)
                answer = make(tx)
        except PowerCut:
            assert everything(database) == before
        else:
            break
    else:
        pytest.fail(f"it runs more than {MOST_STATEMENTS} statements")
    assert answer == Submitted("new")
    assert statements > 5  # fewer would mean that the cut misses some
    after = everything(database)
    changed = {name for name in after if after[name] != before[name]}
    assert {"jobs", "idempotency_keys", "events", "ledger", "accounts", "fair_tags"} <= changed
    with database.transaction() as tx:
        assert make(tx) == answer
        assert_books_balance(tx)
    assert everything(database) == after
