"""Real databases to measure on: a SQLite file with `synchronous=FULL`, a Postgres that waits for its disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from safelight.store.migrate import upgrade
from safelight.testing.databases import fresh_database, postgres_server, started_postgres

KINDS = ("SQLite", "Postgres")
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "autovacuum=on")


@contextmanager
def fresh(kind: str) -> Iterator[str]:
    """The URL of a migrated, empty database of that kind; gone afterwards."""
    with _sqlite() if kind == "SQLite" else _postgres() as url:
        upgrade(url)
        yield url


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="safelight-bench-") as folder:
        yield f"sqlite:///{Path(folder) / 'safelight.db'}"


@contextmanager
def _postgres() -> Iterator[str]:
    """On the server the tests would use if it is durable, else on a throwaway one that is."""
    with postgres_server() as found:
        if is_durable(found):
            with fresh_database(found) as url:
                yield url
            return
    with started_postgres(*DURABLE) as durable, fresh_database(durable) as url:
        yield url


def is_durable(server_url: str) -> bool:
    """Whether a commit there has reached the disk when it is answered."""
    with psycopg.connect(server_url) as connection:
        row = connection.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')").fetchone()
    return row == ("on", "on")
