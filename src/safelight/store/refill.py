"""Put a whole database's rows in the place of what is there, in one transaction: for restoring.

Rows come as they were when they were read elsewhere, with their numbers; no use case and no rule is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from safelight.store import numbers
from safelight.store.statements import Change
from safelight.store.tables import metadata
from safelight.store.tx import Tx

PRESENCE = "workers"
"""Its rows are processes that run, not facts to be kept."""
_ALL = ", ".join(sorted(metadata.tables))


def kept_tables() -> list[sa.Table]:
    """Every table that a backup holds, in the order of their names."""
    return [table for name, table in sorted(metadata.tables.items()) if name != PRESENCE]


def lock_all(tx: Tx) -> None:
    """Nobody reads or writes any table from now on. On SQLite nobody else writes anyway."""
    if tx.dialect.name != "sqlite":
        tx.run(Change(sa.text("SET LOCAL statement_timeout = 0")))
        tx.run(Change(sa.text(f"LOCK TABLE {_ALL} IN ACCESS EXCLUSIVE MODE")))


def empty_all(tx: Tx) -> None:
    """Remove every row. The numbers they had are not given again."""
    if tx.dialect.name != "sqlite":
        tx.run(Change(sa.text(f"TRUNCATE {_ALL}")))
        return
    for table in metadata.tables.values():
        tx.run(Change(sa.delete(table)))


class Refill:
    """Takes the rows of one table, slice by slice."""

    def __init__(self, tx: Tx, table: sa.Table) -> None:
        self._tx = tx
        self._insert = Change(sa.insert(table), columns=[column.name for column in table.columns])

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows that have a value for every column."""
        self._tx.many(self._insert, rows)


def give_above(tx: Tx, highest: Mapping[str, int]) -> None:
    """New rows get numbers above these, by the name of the table."""
    for table in kept_tables():
        if numbers.gives_numbers(table):
            numbers.give_above(tx, table, highest.get(table.name, 0))
