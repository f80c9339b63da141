"""A transaction on Postgres, where a list of rows goes through one statement in its set form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.adapt import Buffer, Loader

from safelight.store.set_form import set_text
from safelight.store.statements import Change, Query, R, Statement, Values, compiled, postgres_dialect
from safelight.store.tx import Tx

Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresTx(Tx):
    """Every statement is prepared at its first use on a connection."""

    dialect = postgres_dialect()

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._cursor = connection.cursor()
        self._now: float | None = None

    @property
    def now(self) -> float:
        if self._now is None:
            row = self._cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
            self._now = float(row[0]) if row else 0.0
        return self._now

    def run(self, change: Change, **values: Any) -> int:
        return self._execute(change.text(self.dialect), change.bound(values, array_literal)).rowcount

    def all(self, query: Query[R], **values: Any) -> list[R]:
        cursor = self._execute(query.text(self.dialect), query.bound(values, array_literal))
        return [query.make(row) for row in cursor.fetchall()]

    def lock(self, table: sa.Table, keys: Sequence[int] | Sequence[str]) -> None:
        if keys:
            self._execute(_lock_text(table), {"keys": array_literal(keys)})

    def _many(self, statement: Statement, rows: Sequence[Values]) -> list[Any]:
        arrays = {name: array_literal([row[name] for row in rows]) for name in statement.arguments}
        cursor = self._execute(set_text(statement), arrays)
        if not statement.inserts:
            return _by_ordinal(statement, len(rows), cursor.fetchall())
        if statement.matched:
            return _by_match(statement, rows, cursor.fetchall())
        if isinstance(statement, Query):  # the first column is a number, and numbers are given in input order
            return [statement.make(row) for row in sorted(cursor.fetchall())]
        return [True] * len(rows)

    def _execute(self, sql: str, values: Values) -> psycopg.Cursor[tuple[Any, ...]]:
        return self._cursor.execute(sql, values)


@contextmanager
def in_transaction(connection: Connection) -> Iterator[PostgresTx]:
    """Yield a begun transaction's Tx; commit when the block ends well, else roll back.

    Raises `psycopg.InternalError` where the server answered COMMIT with a rollback, as it does after an error that a
    use case swallowed.
    """
    try:
        yield PostgresTx(connection)
        if connection.execute("COMMIT", prepare=False).statusmessage != "COMMIT":
            raise psycopg.InternalError(
                "A use case went on after a statement had failed; its transaction was rolled back."
            )
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise


class NumericLoader(Loader):
    """Sums of integers as integers: psycopg's Decimal would be a third kind of number, on one database only."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data).decode()
        return float(text) if "." in text or "N" in text or "I" in text else int(text)


def array_literal(values: Iterable[str | float | bool | None]) -> str:
    """Postgres' own text form. psycopg's list dumper costs twice the CPU and prepares a plan per integer width."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: str | float | bool | None) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "NULL" if value is None else str(value)


def _by_ordinal(statement: Statement, count: int, found: Iterable[tuple[Any, ...]]) -> list[Any]:
    if not isinstance(statement, Query):
        changed = {n for (n,) in found}
        return [n in changed for n in range(1, count + 1)]
    answers: list[Any] = [None] * count
    for *row, n in found:
        if answers[n - 1] is None:
            answers[n - 1] = statement.make(row)
    return answers


def _by_match(statement: Statement, rows: Sequence[Values], found: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Give each inserted row to the first input that has its key; the inputs left over were skipped."""
    width = len(statement.match)
    inserted = {row[-width:]: row[:-width] for row in found}
    answers: list[Any] = []
    for given in rows:
        row = inserted.pop(tuple(given[name] for name in statement.match), None)
        if isinstance(statement, Query):
            answers.append(None if row is None else statement.make(row))
        else:
            answers.append(row is not None)
    return answers


@cache
def _lock_text(table: sa.Table) -> str:
    key = next(iter(table.primary_key.columns))
    keys = sa.bindparam("keys", type_=sa.ARRAY(key.type))
    locked = sa.select(sa.literal(1)).select_from(table).where(key == sa.func.any(keys)).order_by(key).with_for_update()
    return compiled(locked, postgres_dialect())
