"""Straight to the database and the files, past any server: for what only the operator of a machine does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from safelight.cli.load import load
from safelight.cli.out import err
from safelight.domain.errors import NotFound, Remedy
from safelight.telemetry.redact import redact

if TYPE_CHECKING:
    from safelight.settings import Settings
    from safelight.store.database import Database, Limits


def existing_database(*, make: bool = False) -> Settings:
    """The settings of an installation that is there, with this program's schema. Raises NotFound or NotMigrated.

    With `make` an empty database is made where there is none, as a server does that starts.
    """
    from safelight.store import migrate
    from safelight.store.connect import sqlite_path
    from safelight.telemetry.logs import configure_logging

    configure_logging(level="warning")  # what was done is the command's own output
    settings = load()
    say_where(settings)
    path = sqlite_path(settings.database_address)
    if make and migrate.current(settings.database_address) is None:
        migrate.ensure(settings.database_address, upgrade=True)
    if path is not None and not path.exists():
        raise NotFound(
            f"There is no database at {path}.",
            remedy=Remedy("Name it by SAFELIGHT_DATA_DIR or SAFELIGHT_DATABASE_URL.", "safelight settings"),
        )
    migrate.ensure(settings.database_address, upgrade=False)
    return settings


def say_where(settings: Settings) -> None:
    """Whoever has named a server must not take what is read or changed here for that server's."""
    if settings.url:
        err().print(f"Not through SAFELIGHT_URL, but on {redact(settings.database_address)}.", soft_wrap=True)


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[Database]:
    """The database, ready for `read` and `write`."""
    from safelight.store.connect import open_database

    database = open_database(settings.database_address)
    database.start()
    try:
        yield database
    finally:
        await database.stop()


@contextmanager
def opened_database(limits: Limits | None = None, *, make: bool = False) -> Iterator[Database]:
    """The existing database, for `transaction` and `reading`: for commands that need no event loop."""
    from safelight.store.connect import open_database

    database = open_database(existing_database(make=make).database_address, limits)
    try:
        yield database
    finally:
        database.close()
