"""From a database URL to a `Database`. The Postgres driver is loaded only when a URL asks for it."""

from __future__ import annotations

from pathlib import Path

from safelight.domain.errors import BadSettings, Remedy
from safelight.store.database import Database, Limits

_SQLITE = "sqlite:///"
_POSTGRES = "postgresql://"


def open_database(url: str, limits: Limits | None = None) -> Database:
    """The database at `sqlite:///path` (absolute: four slashes) or `postgresql://user@host/name`.

    It connects at first use. Raises `BadSettings` if the URL names neither.
    """
    if path := sqlite_path(url):
        from safelight.store.sqlite import SqliteDatabase

        return SqliteDatabase(path, limits)
    address = postgres_address(url)
    try:
        from safelight.store.postgres import PostgresDatabase
    except ImportError as error:
        raise no_driver(error) from error
    return PostgresDatabase(address, limits)


def no_driver(error: ImportError) -> BadSettings:
    """Postgres was asked for where its driver is not installed."""
    return BadSettings(
        f"The Postgres driver cannot be loaded: {error}.",
        remedy=Remedy(
            "Install it with `make extras` in a clone, else as an extra.", "pip install 'safelight[postgres]'"
        ),
    )


def sqlite_path(url: str) -> Path | None:
    """The file a URL names, or None if it is not SQLite's."""
    if not url.startswith("sqlite:"):
        return None
    name = url.removeprefix(_SQLITE)
    if not url.startswith(_SQLITE) or not name or name.startswith(":memory:") or "?" in name:
        raise BadSettings(
            f"The database URL {url!r} names no file.",
            remedy=Remedy("Write sqlite:///folder/safelight.db, with a fourth slash for an absolute path."),
        )
    return Path(name).expanduser()


def postgres_address(url: str) -> str:
    """The URL, which libpq reads as it is."""
    if url.startswith(_POSTGRES):
        return url
    raise BadSettings(
        f"The database URL begins with {url.partition(':')[0]!r}, which is neither SQLite nor Postgres.",
        remedy=Remedy("Write sqlite:///folder/safelight.db or postgresql://user@host/name."),
    )
