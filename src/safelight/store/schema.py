"""Which schema the database has and which one this program needs, by plain SQL: Alembic takes long to import."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from safelight.store.connect import no_driver, postgres_address, sqlite_path
from safelight.store.file_system import refuse_network

HEAD = "0007"
"""The newest step under migrations/versions; a test compares the two."""

_VERSION_SQL = "SELECT version_num FROM alembic_version"
_NUMBER = re.compile(r"\d{4}")


def head() -> str:
    """The schema this program needs."""
    return HEAD


def current(url: str) -> str | None:
    """The schema the database has; None if it has none. Creates nothing. Raises `Unavailable` if it cannot be asked."""
    if path := sqlite_path(url):
        return _sqlite_version(path)
    return _postgres_version(postgres_address(url))


def is_newer(version: str | None) -> bool:
    """Whether a schema was made by a later release than this program."""
    return version is not None and (_NUMBER.fullmatch(version) is None or version > HEAD)


def _sqlite_version(path: Path) -> str | None:
    from safelight.store.sqlite import translated

    refuse_network(path)
    if not path.exists():
        return None
    with translated(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
        try:
            row = connection.execute(_VERSION_SQL).fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return None
            raise
    return str(row[0]) if row else None


def _postgres_version(address: str) -> str | None:
    try:
        import psycopg
    except ImportError as error:
        raise no_driver(error) from error

    from safelight.store.postgres_errors import translated

    with translated(), psycopg.connect(address, connect_timeout=5, application_name="safelight") as connection:
        try:
            row = connection.execute(_VERSION_SQL).fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return str(row[0]) if row else None
