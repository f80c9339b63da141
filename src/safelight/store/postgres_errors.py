"""What a Postgres error means for a transaction: run it again, connect again, tell the operator, or a bug of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from safelight.domain.errors import Remedy, Unavailable

_RERUN = {
    "40001",  # serialization failure
    "40P01",  # deadlock: another use case won
}
_CONNECTION_UNFIT = {
    "26000",  # a prepared statement is not there: a pooler gave us another server connection
    "42P05",  # a prepared statement is there already: the same
    "57P01",  # the server is shutting down, or an operator ended this connection
    "57P02",  # it crashed
    "57P03",  # it is starting
    "57P05",  # it ended an idle session
}
_TOOK_TOO_LONG = {
    "55P03",  # waited for a lock
    "57014",  # ran
}
_CACHED_PLAN = "cached plan must not change result type"  # a migration went by
_REMEDIES = {
    "53100": Remedy("Make room on the database server's disk."),
    "53200": Remedy("Give the database server more memory."),
    "53300": Remedy("Raise max_connections, or run fewer processes."),
    "25006": Remedy("Point the database setting at the primary: this server only answers reads."),
    "57014": Remedy("Ask for less at once, or look for what slows the database down."),
    "55P03": Remedy("Look for a long transaction that holds the row: SELECT * FROM pg_stat_activity."),
}


def asks_for_rerun(error: psycopg.Error) -> bool:
    """Whether the same transaction, run again, may succeed."""
    return error.sqlstate in _RERUN


def took_too_long(error: BaseException) -> bool:
    """Whether the server gave up a statement because of one of `WRITE_LIMITS`; the connection is sound."""
    return isinstance(error, psycopg.Error) and error.sqlstate in _TOOK_TOO_LONG


def prepares_in_vain(error: psycopg.Error) -> bool:
    """Whether prepared statements do not survive between transactions, as behind some poolers."""
    return error.sqlstate in ("26000", "42P05")


def connection_is_unfit(error: psycopg.Error, connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    """Whether the connection is gone or must not be used again. What its last COMMIT did is then unknown."""
    state = error.sqlstate or ""
    return (
        connection.closed
        or state in _CONNECTION_UNFIT
        or state.startswith("08")
        or (state == "0A000" and _CACHED_PLAN in str(error))
    )


def as_refusal(error: BaseException) -> BaseException:
    """The error as one that the operator can do something about; unchanged if it is a bug of ours."""
    if not isinstance(error, psycopg.OperationalError | psycopg.errors.ReadOnlySqlTransaction):
        return error
    state = error.sqlstate or "connection"
    remedy = _REMEDIES.get(
        state, Remedy("Check SAFELIGHT_DATABASE_URL, and that its database server runs.", "safelight settings")
    )
    words = " ".join(str(error).split())
    refusal = Unavailable(f"The database could not be used: {words}.", remedy=remedy, evidence={"sqlstate": state})
    refusal.__cause__ = error
    return refusal


@contextmanager
def translated() -> Iterator[None]:
    """Raise what the block raises as `as_refusal` has it."""
    try:
        yield
    except psycopg.Error as error:
        refusal = as_refusal(error)
        if refusal is error:
            raise
        raise refusal from error
