"""Bring a database's schema up to what this program needs: Alembic, driven from here, under a lock.

Any number of processes may try at once; one does it, the others find it done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from safelight.domain.errors import NotMigrated, Remedy
from safelight.store.connect import postgres_address, sqlite_path
from safelight.store.schema import current, head, is_newer

__all__ = ["current", "ensure", "head", "upgrade"]

MIGRATIONS = Path(__file__).with_name("migrations")
_ADVISORY_KEY = 0x5AFE_1167


def ensure(url: str, *, upgrade: bool) -> None:
    """Return when the database has the schema this program needs; bring it there if `upgrade`.

    Raises `NotMigrated` if it is older and may not be upgraded, or if a later release made it.
    """
    found = current(url)
    if found == head():
        return
    if is_newer(found):
        raise NotMigrated(
            f"The database has schema {found}, made by a later release; this program needs {head()}.",
            remedy=Remedy("Install that release, or restore the backup made before its upgrade."),
            evidence={"found": found, "needed": head()},
        )
    if not upgrade:
        raise NotMigrated(
            f"The database has {'no schema' if found is None else f'schema {found}'}; this program needs {head()}.",
            remedy=Remedy("Upgrade it.", "safelight db upgrade"),
            evidence={"found": found, "needed": head()},
        )
    run_migrations(url)


def upgrade(url: str) -> str:
    """Run every missing step, all in one transaction; return the schema the database then has."""
    ensure(url, upgrade=True)
    return head()


def run_migrations(url: str) -> None:
    """Run Alembic on one connection, inside the transaction that `_locked` opened."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)

    def missing_steps(revision: Any, _context: Any) -> Any:
        return scripts._upgrade_revs("head", revision)

    with _locked(url) as connection, EnvironmentContext(config, scripts, fn=missing_steps) as environment:
        environment.configure(connection=connection, transactional_ddl=False, render_as_batch=True)
        environment.run_migrations()


@contextmanager
def _locked(url: str) -> Iterator[sa.Connection]:
    path = sqlite_path(url)
    opened = _locked_sqlite(path) if path else _locked_postgres(postgres_address(url))
    with opened as connection:
        yield connection


@contextmanager
def _locked_sqlite(path: Path) -> Iterator[sa.Connection]:
    """Under the turnstile, with foreign keys off: changing a table makes it anew, and rows point nowhere meanwhile."""
    from safelight.store.sqlite import SqliteDatabase, translated

    database = SqliteDatabase(path)
    engine = sa.create_engine("sqlite://", creator=database.connect, poolclass=sa.NullPool)
    with translated(path), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        with database.turnstile.held():
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
                _check_foreign_keys(connection)
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise


def _check_foreign_keys(connection: sa.Connection) -> None:
    if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
        tables = sorted({str(row[0]) for row in broken})
        raise NotMigrated(
            f"After the upgrade {len(broken)} row(s) in {', '.join(tables)} would point to rows that do not exist.",
            remedy=Remedy("Nothing was changed. Restore a sound backup, or remove those rows, then upgrade again."),
            evidence={"tables": tables, "rows": len(broken)},
        )


@contextmanager
def _locked_postgres(address: str) -> Iterator[sa.Connection]:
    import psycopg

    from safelight.store.postgres_errors import translated

    engine = sa.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(address, application_name="safelight"),
        poolclass=sa.NullPool,
    )
    with translated(), engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_KEY})
        yield connection
