"""Databases for tests: a Postgres server found or started, and databases on it that are as good as new for each test.

The server is, in this order: the one SAFELIGHT_TEST_POSTGRES_URL names, the one that listens on the standard loopback
port, a throwaway one if its binary is installed. Everything listens on 127.0.0.1 only.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.sql import SQL, Identifier

from safelight.testing.throwaway import NoServer, free_port

SETTING = "SAFELIGHT_TEST_POSTGRES_URL"
STANDARD = "postgresql://postgres@127.0.0.1:5432/postgres"
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
START_S = 30


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a server on which databases may be made. Raises `NoServer`."""
    if url := os.environ.get(SETTING):
        yield url
    elif answers(STANDARD):
        yield STANDARD
    else:
        with started_postgres() as url:
            yield url


class ThrowawayPostgres:
    """A server of one's own in a temporary folder, which may be stopped and started again."""

    def __init__(self, folder: Path, options: Sequence[str]) -> None:
        self._folder, self._options = folder, options
        self._owner = _unprivileged()
        self._port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
        if self._owner:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        made = self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        if made.wait() != 0:
            raise NoServer(f"initdb failed: {(folder / 'log').read_text()}")

    def start(self) -> None:
        """Returns when it answers. Raises `NoServer`."""
        settings = [f"-c{option}" for option in ("listen_addresses=127.0.0.1", *FAST, *self._options)]
        folder = str(self._folder)
        self._server = self._run("postgres", "-D", self._data, "-p", str(self._port), "-k", folder, *settings)
        _wait_for(self.url, self._server)

    def stop(self) -> None:
        """At once: open transactions are rolled back, connections cut."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(START_S)
            self._server = None

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        user, group = (self._owner.pw_uid, self._owner.pw_gid) if self._owner else (None, None)
        command = [str(_programs() / program), *arguments]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder, user=user, group=group)  # noqa: S603 - ours


@contextmanager
def throwaway_postgres(*options: str) -> Iterator[ThrowawayPostgres]:
    """A started server that the block may stop and start. `options` as after `-c`. Raises `NoServer`."""
    with tempfile.TemporaryDirectory(prefix="safelight-postgres-") as folder:
        server = ThrowawayPostgres(Path(folder), options)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def started_postgres(*options: str) -> Iterator[str]:
    """The URL of a throwaway server, for a test that fills it. `options` as after `-c`. Raises `NoServer`."""
    with throwaway_postgres(*options) as server:
        yield server.url


@contextmanager
def fresh_database(server_url: str, *, template: str | None = None) -> Iterator[str]:
    """The URL of a new database on the server, a copy of `template` if given; dropped afterwards."""
    name = f"safelight_test_{os.getpid()}_{secrets.token_hex(4)}"
    copy = f' TEMPLATE "{database_name(template)}"' if template else ""
    _administer(server_url, f'CREATE DATABASE "{name}"{copy}')
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        _administer(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


class LentDatabases:
    """Databases made from one template, lent to one test after the other and emptied in between.

    Making one takes Postgres up to a second on a busy disk, emptying one a few milliseconds. What cannot be emptied is
    dropped, and the next test gets a new one.
    """

    def __init__(self, server_url: str, template: str) -> None:
        self._server_url, self._template = server_url, template
        self._made, self._free = ExitStack(), list[str]()
        with psycopg.connect(template) as connection:
            self._tables = _tables(connection)
            self._version = connection.execute("SELECT version_num FROM alembic_version").fetchone()

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of a database in the template's state that nobody else uses meanwhile."""
        made = fresh_database(self._server_url, template=self._template)
        url = self._free.pop() if self._free else self._made.enter_context(made)
        yield url
        with suppress(psycopg.Error):
            self._empty(url)
            self._free.append(url)

    def close(self) -> None:
        """Drop them all."""
        self._made.close()

    def _empty(self, url: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            found = _tables(connection)
            if not found >= self._tables:
                raise psycopg.ProgrammingError("The test dropped tables of the template.")
            for table in found - self._tables:
                connection.execute(SQL("DROP TABLE {} CASCADE").format(Identifier(table)))
            for table in self._tables - {"alembic_version"}:
                connection.execute(SQL("DELETE FROM {}").format(Identifier(table)))
            connection.execute("UPDATE alembic_version SET version_num = %s", self._version)
            connection.execute(
                "SELECT setval(oid::regclass, 1, false) FROM pg_class"
                " WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"
            )


def database_name(url: str) -> str:
    """The name a URL ends with."""
    return urlsplit(url).path.removeprefix("/")


def answers(url: str) -> bool:
    """Whether a Postgres server accepts us at that address."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _tables(connection: psycopg.Connection[tuple[object, ...]]) -> set[str]:
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {str(name) for (name,) in found}


def _administer(server_url: str, statement: str) -> None:
    with psycopg.connect(server_url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement)


def _programs() -> Path:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)
    if found := installed[0] if installed else shutil.which("postgres"):
        return Path(found).resolve().parent
    raise NoServer(f"No Postgres server: set {SETTING}, or install one (apt-get install postgresql).")


def _unprivileged() -> pwd.struct_passwd | None:
    """Postgres refuses to run as root: whom to run it as, if we are."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(START_S * 10):
        if answers(url):
            return
        try:
            server.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        raise NoServer("The throwaway Postgres server ended at once.")
    raise NoServer(f"The throwaway Postgres server did not answer within {START_S} s.")
