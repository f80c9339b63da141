"""The toy tables in every database of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from safelight.store.connect import open_database
from safelight.store.database import Database
from tests.unit.store import toy_store


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    toy_store.create(opened)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    opened = open_database(sqlite_url)
    toy_store.create(opened)
    yield opened
    opened.close()


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[Database]:
    opened = open_database(postgres_url)
    toy_store.create(opened)
    yield opened
    opened.close()
