"""SQLite: one writer thread whose commits are shared, readers beside it, a thread that keeps the WAL short."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from safelight.domain.errors import Remedy, Unavailable
from safelight.store.checkpoint import Checkpointer
from safelight.store.connections import Connections
from safelight.store.database import Database, Limits
from safelight.store.file_system import refuse_network
from safelight.store.group_commit import GroupCommit
from safelight.store.statements import SQLITE, Change, Query, R, Statement, Values
from safelight.store.turnstile import NoTurn, Turnstile, TurnTaken
from safelight.store.tx import Tx
from safelight.store.values_form import runs, takes_several

INSTRUCTIONS_BETWEEN_CLOCK_READS = 200_000
CACHE_KIB = 32 * 1024
"""Pages the writer keeps: with SQLite's own 2 MB the indexes of 10,000 jobs were read again and again.

Not so readers: what they keep is dropped whenever somebody has written.
"""
HELD_FOR_LONG = 1.5
"""Whoever has the turn may wait for another program for `busy_s`; longer is not normal."""


class SqliteTx(Tx):
    """A transaction on SQLite. But for inserts, statements run one row at a time: there is no round trip to save."""

    dialect = SQLITE

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection
        self.execute = connection.execute
        self._now = time.time()

    @property
    def now(self) -> float:
        return self._now

    def run(self, change: Change, **values: Any) -> int:
        before = self._connection.total_changes  # `rowcount` is -1 for a statement that begins with WITH
        self.execute(change.text(SQLITE), change.bound(values, dumps))
        return self._connection.total_changes - before

    def all(self, query: Query[R], **values: Any) -> list[R]:
        make = query.make_from_numbers if query.booleans else query.make
        return [make(row) for row in self.execute(query.text(SQLITE), query.bound(values, dumps)).fetchall()]

    def lock(self, table: sa.Table, keys: Sequence[int] | Sequence[str]) -> None:
        pass

    def _many(self, statement: Statement, rows: Sequence[Values]) -> list[Any]:
        if takes_several(statement):
            return self._insert(statement, rows)
        sql = statement.text(SQLITE)
        if not isinstance(statement, Query):
            return [self.execute(sql, row).rowcount > 0 for row in rows]
        make = statement.make_from_numbers if statement.booleans else statement.make
        found = (self.execute(sql, row).fetchall() for row in rows)
        return [make(matches[0]) if matches else None for matches in found]

    def _insert(self, statement: Statement, rows: Sequence[Values]) -> list[Any]:
        """The first column returned is a number, and numbers are given in input order."""
        inserted = [row for text, values in runs(statement, rows) for row in self.execute(text, values).fetchall()]
        if not isinstance(statement, Query):
            return [True] * len(rows)
        make = statement.make_from_numbers if statement.booleans else statement.make
        return [make(row) for row in sorted(inserted)]


class SqliteDatabase(Database):
    """One file. Any number of threads and processes; every write of all of them passes the turnstile.

    Raises `BadSettings` for a file on a network file system.
    """

    dialect = "sqlite"

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        super().__init__(limits)
        refuse_network(path)
        self.path = path
        self.turnstile = Turnstile(path)
        self._idle_writers = Connections(self.connect, sqlite3.OperationalError)
        self._readers = Connections(self._connect_reader, sqlite3.OperationalError)
        self._checkpointer = Checkpointer(path, self.turnstile)
        self._watch = threading.Lock()
        self._watcher: sqlite3.Connection | None = None

    def connect(self) -> sqlite3.Connection:
        """A connection that may write, under the turnstile only. Creates the file, readable by its owner alone."""
        with translated(self.path):
            create_private(self.path)
            connection = sqlite3.connect(
                self.path,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=512,
                timeout=self.limits.busy_s,
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            return connection

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        with translated(self.path), self._readers.borrowed() as connection:
            connection.execute("BEGIN")
            limit_time(connection, self.limits.read_s)
            try:
                yield SqliteTx(connection)
            finally:
                connection.set_progress_handler(None, 0)
                connection.rollback()

    def data_version(self) -> int:
        with self._watch, translated(self.path):
            if self._watcher is None:
                self._watcher = self._connect_reader()
            version: int = self._watcher.execute("PRAGMA data_version").fetchone()[0]
            return version

    def hindrance(self) -> BaseException | None:
        holder = self.turnstile.holder()
        if holder is not None and time.time() - holder.since > self.limits.busy_s * HELD_FOR_LONG:
            return self._refusal(TurnTaken(holder))
        return super().hindrance()

    def overdue(self) -> BaseException:
        holder = self.turnstile.holder()
        return super().overdue() if holder is None else self._refusal(TurnTaken(holder))

    def close(self) -> None:
        self._idle_writers.close()
        self._readers.close()
        with self._watch:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None

    @contextmanager
    def _transaction(self) -> Iterator[Tx]:
        turn = self.turnstile.held(self.limits.away_s)
        with translated(self.path), self._idle_writers.borrowed() as connection, turn:
            connection.execute("BEGIN IMMEDIATE")
            try:
                tx = SqliteTx(connection)
                yield tx
                connection.execute("COMMIT")
            finally:
                connection.rollback()
        self._checkpointer.wrote()

    def _servers(self) -> list[threading.Thread]:
        connection = self.connect()
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        writer = GroupCommit(self, connection, SqliteTx, self.turnstile, self._checkpointer.wrote, self._refusal)
        return [
            threading.Thread(target=writer.serve, name="safelight-write", daemon=True),
            threading.Thread(target=self._checkpointer.serve, name="safelight-checkpoint", daemon=True),
        ]

    def _join(self) -> bool:
        self._checkpointer.stop()
        return super()._join()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            with self.turnstile.held(self.limits.away_s):
                connection.execute("PRAGMA journal_mode=WAL")
        for pragma in ("synchronous=FULL", "wal_autocheckpoint=0", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    def _refusal(self, error: BaseException) -> BaseException:
        return as_refusal(error, self.path)

    def _connect_reader(self) -> sqlite3.Connection:
        connection = self.connect()
        connection.execute("PRAGMA query_only=ON")
        if self.limits.read_cache_kib is not None:
            connection.execute(f"PRAGMA cache_size=-{self.limits.read_cache_kib}")
        return connection


def limit_time(connection: sqlite3.Connection, limit_s: float) -> None:
    """Interrupt whatever statement runs on the connection once the time is over."""
    ends = time.monotonic() + limit_s
    connection.set_progress_handler(lambda: time.monotonic() > ends, INSTRUCTIONS_BETWEEN_CLOCK_READS)


_creating = threading.Lock()
"""Between the making of a file and its closing no other thread of this process may have it open."""


def create_private(path: Path) -> None:
    """Make the file, if it is missing, readable by its owner alone. SQLite gives the files beside it the same mode.

    A database that is there is never opened here: closing any descriptor of a file drops every POSIX lock that this
    process holds on it, SQLite's own among them, and then another process may delete the log of a database in use.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _creating:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise NoTurn(error.errno, error.strerror, str(path)) from error


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's and the file system's refusals as `Unavailable`; errors in our own SQL stay what they are."""
    try:
        yield
    except (sqlite3.Error, NoTurn) as error:
        refusal = as_refusal(error, path)
        if refusal is error:
            raise
        raise refusal from error


_REMEDIES = {
    "SQLITE_FULL": Remedy("Make room on its disk."),
    "SQLITE_IOERR": Remedy("Check the disk and the file system; the system log says more."),
    "SQLITE_BUSY": Remedy("Find the other program that holds the file open for writing and end it."),
    "SQLITE_READONLY": Remedy("Give this user the right to write to the file and to its folder."),
    "SQLITE_CANTOPEN": Remedy("Check that the folder exists and that this user may write to it."),
    "SQLITE_INTERRUPT": Remedy("Ask for less at once."),
    "SQLITE_CORRUPT": Remedy("Restore the file from a backup."),
    "SQLITE_NOTADB": Remedy("Point the database setting at Safelight's own file."),
    "SQLITE_NOMEM": Remedy("Give the process more memory."),
}


def as_refusal(error: BaseException, path: Path) -> BaseException:
    """The error as one that the operator can do something about; unchanged if it is a bug of ours."""
    evidence: dict[str, object] = {"path": str(path)}
    if isinstance(error, TurnTaken):
        code, remedy = "TURN_TAKEN", Remedy("See what that process does; if it is stopped let it go on, else end it.")
        evidence |= {} if error.holder is None else asdict(error.holder)
    elif isinstance(error, NoTurn):
        code, remedy = "NO_TURN", Remedy("Check that this user may write to the folder, and that its disk has room.")
    else:
        code = "_".join(str(getattr(error, "sqlite_errorname", "")).split("_")[:2])
        if code not in _REMEDIES:
            return error
        remedy = _REMEDIES[code]
    refusal = Unavailable(
        f"The database {path} could not be used: {error}.", remedy=remedy, evidence={**evidence, "code": code}
    )
    refusal.__cause__ = error
    return refusal
