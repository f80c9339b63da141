"""Installations whose API the tests call in process; most tests run on SQLite and on Postgres."""

from __future__ import annotations

import io
import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from safelight.telemetry.logs import configure_logging
from safelight.testing.databases import fresh_database
from tests.support.door import Door
from tests.support.logs import plain_logs


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


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared_door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """An installation for all tests of a file that do not mind each other's jobs, once on each database."""
    folder = tmp_path_factory.mktemp("shared")
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{folder / 'safelight.db'}"
            shutil.copyfile(request.getfixturevalue("sqlite_template"), folder / "safelight.db")
        else:
            server, template = (request.getfixturevalue(f"postgres_{name}") for name in ("server_url", "template"))
            url = stack.enter_context(fresh_database(server, template=template))
        opened = Door(folder, url)
        stack.callback(opened.close)
        yield opened


@pytest.fixture(autouse=True)
def logs() -> Iterator[io.StringIO]:
    """What the installation logs during a test, as JSON lines."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("json", "info", stream)
    yield stream
    plain_logs()
    logging.captureWarnings(False)
    root.handlers[:] = before
    root.setLevel(level)
