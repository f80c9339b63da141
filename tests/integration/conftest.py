"""One database of each kind, shared by all tests that roll back what they did: making one takes most of a second."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from safelight.store.connect import open_database
from safelight.store.database import Database
from safelight.testing.databases import fresh_database


@pytest.fixture(scope="session")
def shared_sqlite_url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("shared") / "safelight.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def shared_postgres_url(postgres_server_url: str, postgres_template: str) -> Iterator[str]:
    with fresh_database(postgres_server_url, template=postgres_template) as url:
        yield url


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def shared(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database, to be left empty: play scenes in it, which end with a rollback."""
    opened = open_database(request.getfixturevalue(f"shared_{request.param}_url"))
    yield opened
    opened.close()
