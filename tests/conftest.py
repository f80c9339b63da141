"""Databases for every test that asks: fresh, migrated, on SQLite and on Postgres."""

from __future__ import annotations

import gc
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from safelight.store.connect import open_database
from safelight.store.database import Database
from safelight.store.migrate import upgrade
from safelight.testing.databases import LentDatabases, fresh_database, postgres_server
from safelight.testing.object_stores import ThrowawayS3, throwaway_s3
from safelight.testing.throwaway import NoServer
from tests.support.logs import plain_logs


def pytest_configure() -> None:
    plain_logs()


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end: the garbage collector need not look at them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def logs_as_at_first() -> Iterator[None]:
    """Commands run in this process say how much is logged: the tests after them must not go by that."""
    yield
    plain_logs()


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[str]:
    """A server to make databases on; where there is none the test is skipped, and fails under CI=true."""
    try:
        with postgres_server() as url:
            yield url
    except NoServer as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def s3() -> Iterator[ThrowawayS3]:
    """A real S3 server; where its binary is missing the test is skipped, and fails under CI=true."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(throwaway_s3())
        except NoServer as error:
            if os.environ.get("CI") == "true":
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield server


@pytest.fixture
def s3_url(s3: ThrowawayS3, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty place of this test's alone, with the environment that leads there."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{s3.bucket}/test-{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def postgres_template(postgres_server_url: str) -> Iterator[str]:
    with fresh_database(postgres_server_url) as url:
        upgrade(url)
        yield url


@pytest.fixture(scope="session")
def postgres_databases(postgres_server_url: str, postgres_template: str) -> Iterator[LentDatabases]:
    databases = LentDatabases(postgres_server_url, postgres_template)
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "safelight.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite file of its own."""
    path = tmp_path / "safelight.db"
    shutil.copyfile(sqlite_template, path)
    path.chmod(0o600)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_databases: LentDatabases) -> Iterator[str]:
    """A migrated, empty Postgres database that is this test's alone."""
    with postgres_databases.lent() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database; the test runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same, open but not started: `with database.transaction() as tx:` works, `write` needs `start()` first."""
    opened = open_database(database_url)
    yield opened
    opened.close()
