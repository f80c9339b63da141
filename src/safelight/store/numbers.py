"""Numbers that the database gives to rows, and how far it has come: none is ever given twice.

Where rows are brought in from elsewhere, or were lost, the database must be told.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import REGCLASS

from safelight.store.statements import Change, Query
from safelight.store.tx import Tx


class _Given(NamedTuple):
    number: int | None


_sequence = sa.Table(
    "sqlite_sequence", sa.MetaData(), sa.Column("name", sa.Text, primary_key=True), sa.Column("seq", sa.BigInteger)
)
"""SQLite's own; in truth it has no key, and one row for each table that ever had a row."""


def highest_given(tx: Tx, table: sa.Table) -> int:
    """The highest number any row of the table was ever given; 0 if none was."""
    row = tx.one(
        Query(_highest_on_sqlite(table) if tx.dialect.name == "sqlite" else _highest_on_postgres(table), _Given)
    )
    return (row.number if row else None) or 0


def give_above(tx: Tx, table: sa.Table, number: int) -> None:
    """From now on rows of the table get higher numbers than this one. It never goes back."""
    if number <= highest_given(tx, table):
        return
    if tx.dialect.name != "sqlite":
        tx.all(Query(sa.select(sa.func.setval(_sequence_of(table), sa.literal(number, sa.BigInteger))), _Given))
    elif not tx.run(Change(sa.update(_sequence).where(_sequence.c.name == table.name).values(seq=number))):
        tx.run(Change(sa.insert(_sequence).values(name=table.name, seq=number)))


def gives_numbers(table: sa.Table) -> bool:
    """Whether the database numbers the rows of this table."""
    return table.autoincrement_column is not None


def _highest_on_sqlite(table: sa.Table) -> sa.Select[int]:
    return sa.select(_sequence.c.seq).where(_sequence.c.name == table.name)


def _highest_on_postgres(table: sa.Table) -> sa.Select[int]:
    return sa.select(sa.func.pg_sequence_last_value(_sequence_of(table), type_=sa.BigInteger))


def _sequence_of(table: sa.Table) -> sa.ColumnElement[str]:
    return sa.cast(
        sa.func.pg_get_serial_sequence(sa.literal(table.name, sa.Text), sa.literal("number", sa.Text)), REGCLASS
    )
