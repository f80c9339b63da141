"""One consistent state of a whole database, read row by row for as long as it takes: for backups.

On SQLite the write-ahead log cannot be cut meanwhile, on Postgres dead rows cannot be cleaned up; nobody waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from safelight.store.connect import no_driver, postgres_address, sqlite_path
from safelight.store.statements import SQLITE, compiled, postgres_dialect
from safelight.store.tx import Tx

FETCHED_AT_ONCE = 1_000
Rows = Iterator[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was committed when it was opened. `rows` gives a table's rows, its columns in their order."""

    tx: Tx
    rows: Callable[[sa.Table], Rows]


@contextmanager
def snapshot(url: str) -> Iterator[Snapshot]:
    """On a connection of its own, without a limit of time. Raises `Unavailable`."""
    path = sqlite_path(url)
    with _of_sqlite(path) if path else _of_postgres(postgres_address(url)) as opened:
        yield opened


@contextmanager
def _of_sqlite(path: Path) -> Iterator[Snapshot]:
    from safelight.store.sqlite import SqliteDatabase, SqliteTx, translated

    def rows(table: sa.Table) -> Rows:
        flags = [n for n, column in enumerate(table.columns) if isinstance(column.type, sa.Boolean)]
        for row in connection.execute(compiled(sa.select(table), SQLITE)):
            yield _with_booleans(row, flags)

    with translated(path), closing(SqliteDatabase(path).connect()) as connection:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM alembic_version").fetchone()  # what is seen is fixed by the first look
        yield Snapshot(SqliteTx(connection), rows)


@contextmanager
def _of_postgres(address: str) -> Iterator[Snapshot]:
    try:
        from safelight.store.postgres import PostgresDatabase
    except ImportError as error:
        raise no_driver(error) from error
    from safelight.store.postgres_errors import translated
    from safelight.store.postgres_tx import PostgresTx

    def rows(table: sa.Table) -> Rows:
        with connection.cursor(f"rows_of_{table.name}") as cursor:
            cursor.itersize = FETCHED_AT_ONCE
            yield from cursor.execute(compiled(sa.select(table), postgres_dialect()).encode())

    with translated(), closing(PostgresDatabase(address).connect()) as connection:
        connection.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0", prepare=False)
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", prepare=False)
        connection.execute("SELECT 1 FROM alembic_version")
        yield Snapshot(PostgresTx(connection), rows)


def _with_booleans(row: tuple[Any, ...], flags: list[int]) -> tuple[Any, ...]:
    """SQLite has no booleans of its own."""
    if not flags:
        return row
    values = list(row)
    for n in flags:
        values[n] = None if values[n] is None else bool(values[n])
    return tuple(values)
