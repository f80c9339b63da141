"""Installations to be looked at, on SQLite and on Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.door import Door


@pytest.fixture
def door(tmp_path: Path, database_url: str) -> Iterator[Door]:
    """A fresh installation without a worker, once on each database."""
    opened = Door(tmp_path, database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_door(tmp_path: Path, sqlite_url: str) -> Iterator[Door]:
    """A fresh installation without a worker, on SQLite."""
    opened = Door(tmp_path, sqlite_url)
    yield opened
    opened.close()
