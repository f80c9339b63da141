"""What is done to a house while it works: its database locked, flooded or taken away, or its storage broken."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

from safelight.domain.gates import Toll, Verdict
from safelight.domain.outcomes import ErrorClass, ProviderError
from safelight.services import gates
from safelight.services.gates import Heard
from safelight.store.connect import sqlite_path
from safelight.store.tx import Tx
from tests.crash.campaign.house import House

FLOOD = """
import sys
from safelight.store.connect import open_database
database = open_database(sys.argv[1])
n = 0
while True:
    with database.transaction() as tx:
        for _ in range(500):
            n += 1
            tx.execute("REPLACE INTO installation VALUES ('flood', ?)", (str(n),))
    print(n, flush=True)
"""
"""A second program that writes all the time, as one with good manners would: under the turnstile."""


@contextmanager
def locked(house: House) -> Iterator[None]:
    """Another program, without manners, holds SQLite's write lock."""
    path = sqlite_path(house.database_url)
    assert path is not None
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def flooded(house: House) -> Iterator[None]:
    """A second process saturates the writer of SQLite."""
    command = [sys.executable, "-c", FLOOD, house.database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as flood:
        assert flood.stdout is not None
        try:
            assert flood.stdout.readline(), "the flood ended at once"
            yield
        finally:
            flood.kill()


@contextmanager
def away(house: House) -> Iterator[None]:
    """The Postgres server is stopped, and comes back."""
    assert house.postgres is not None
    house.postgres.stop()
    try:
        yield
    finally:
        house.postgres.start()


def gate_shut(house: House) -> None:
    """The provider has refused the key of this installation; no call tries it again before `gate_opened`."""
    house.in_transaction(_refuse_key)
    house.change("UPDATE gates SET trial_at = 4000000000")


def gate_opened(house: House) -> None:
    house.change("UPDATE gates SET trial_at = 0")


def _refuse_key(tx: Tx) -> None:
    error = ProviderError(ErrorClass.UNAUTHORIZED, "no such key")
    gates.learn(tx, [Heard(Toll("stand-in", ""), Verdict("earlier", error))])
    gates.open_gates(tx, "stand-in")


@contextmanager
def storage_broken(house: House) -> Iterator[None]:
    """No file can be written: where the folder of assets was, there is a file. Root is refused too."""
    assets = house.folder / "data" / "assets"
    aside = assets.with_name("assets-aside")
    assets.rename(aside)
    assets.write_bytes(b"")
    try:
        yield
    finally:
        assets.unlink()
        aside.rename(assets)
