"""One writer and one reader are enough for one worker: fewer connections to open and to prepare statements on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from safelight.store.connect import open_database
from safelight.store.database import Database, Limits


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url, Limits(writers=1, readers=1))
    yield opened
    opened.close()
