"""Postgres: a few writer threads, readers beside them, all synchronous connections of psycopg."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg
import structlog
from psycopg.types.numeric import Int8Dumper

from safelight.store.connections import Connections
from safelight.store.database import Database, Limits
from safelight.store.postgres_errors import prepares_in_vain, translated
from safelight.store.postgres_tx import Connection, NumericLoader, in_transaction
from safelight.store.postgres_writer import PostgresWriter
from safelight.store.tx import Tx

T = TypeVar("T")
log = structlog.get_logger(__name__)

WRITE_LIMITS = (
    "SET statement_timeout = '30s'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'"
)


class PostgresDatabase(Database):
    """One database on a server. The address is libpq's."""

    dialect = "postgresql"

    def __init__(self, address: str, limits: Limits | None = None) -> None:
        super().__init__(limits)
        self._address = address
        self._prepares = True
        self._stopping = threading.Event()
        self._idle_writers = Connections(self.connect, psycopg.OperationalError)
        self._readers = Connections(self.connect, psycopg.OperationalError)

    def connect(self) -> Connection:
        """A connection in autocommit mode: we say BEGIN and COMMIT ourselves."""
        connection = psycopg.connect(
            self._address,
            autocommit=True,
            fallback_application_name="safelight",
            connect_timeout=5,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=20_000,
        )
        connection.prepare_threshold, connection.prepared_max = (0 if self._prepares else None), 500
        connection.adapters.register_dumper(int, Int8Dumper)  # one plan per statement, not one per size of number
        connection.adapters.register_loader("numeric", NumericLoader)
        connection.execute(WRITE_LIMITS, prepare=False)
        return connection

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        begin = (
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
            f" SET LOCAL statement_timeout = {round(self.limits.read_s * 1000)}"
        )
        begun = self._readers.borrowed(lambda connection: connection.execute(begin, prepare=False))
        with translated(), begun as connection, in_transaction(connection) as tx:
            yield tx

    def close(self) -> None:
        self._idle_writers.close()
        self._readers.close()

    @contextmanager
    def _transaction(self) -> Iterator[Tx]:
        begun = self._idle_writers.borrowed(lambda connection: connection.execute("BEGIN", prepare=False))
        with translated(), begun as connection, in_transaction(connection) as tx:
            yield tx

    def _servers(self) -> list[threading.Thread]:
        return [
            threading.Thread(
                target=PostgresWriter(self, self.connect, self._learn, self._stopping).serve,
                name=f"safelight-write-{n}",
                daemon=True,
            )
            for n in range(self.limits.writers)
        ]

    def _learn(self, error: psycopg.Error) -> None:
        """Prepare no statements from now on if they do not survive, as behind some poolers."""
        if self._prepares and prepares_in_vain(error):
            self._prepares = False
            self.close()
            log.warning("prepared_statements_off", because=str(error))

    def _join(self) -> bool:
        self._stopping.set()  # what waits for a server that is away waits no longer
        return super()._join()

    def _read(self, query_case: Callable[[Tx], T]) -> T:
        try:
            return super()._read(query_case)
        except psycopg.ProgrammingError as error:
            if not prepares_in_vain(error):
                raise
            self._learn(error)
        return super()._read(query_case)
