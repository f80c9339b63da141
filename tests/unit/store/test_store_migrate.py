"""The schema's history leads to exactly the tables of tables.py, on both databases, however many try at once."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from safelight.domain.errors import NotMigrated, Unavailable
from safelight.store import migrate, schema
from safelight.store.tables import metadata
from safelight.testing.databases import fresh_database
from safelight.testing.throwaway import free_port

POSTGRES_SCHEMA = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity, identity_generation"
    " FROM information_schema.columns WHERE table_schema = 'public'",
    "SELECT tablename, indexdef, '' FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace",
)

UPGRADE = "import sys; from safelight.store.migrate import upgrade; print(upgrade(sys.argv[1]))"
ENSURE = """
import sys
from safelight.store.migrate import ensure
ensure(sys.argv[1], upgrade=False)
assert "alembic" not in sys.modules
"""


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any schema."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
    else:
        with fresh_database(request.getfixturevalue("postgres_server_url")) as url:
            yield url


def test_the_migrated_schema_is_the_schema_of_the_tables_on_postgres(
    postgres_url: str, postgres_server_url: str
) -> None:
    with fresh_database(postgres_server_url) as declared_url:
        engine = sa.create_engine(declared_url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
        metadata.create_all(engine)
        assert _postgres_schema(postgres_url) == _postgres_schema(declared_url)


def test_the_migrated_schema_is_the_schema_of_the_tables_on_sqlite(sqlite_url: str, tmp_path: Path) -> None:
    declared = tmp_path / "declared.db"
    metadata.create_all(sa.create_engine(f"sqlite:///{declared}", poolclass=sa.NullPool))
    assert _sqlite_schema(Path(sqlite_url.removeprefix("sqlite:///"))) == _sqlite_schema(declared)


def test_the_head_is_the_newest_step() -> None:
    steps = sorted(path.name[:4] for path in (migrate.MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert steps[-1] == schema.HEAD
    assert steps == [f"{n:04}" for n in range(1, len(steps) + 1)]


def test_an_empty_database_has_no_schema_and_is_refused_until_it_is_upgraded(empty_url: str) -> None:
    assert schema.current(empty_url) is None
    with pytest.raises(NotMigrated, match="no schema") as refused:
        migrate.ensure(empty_url, upgrade=False)
    assert refused.value.remedy.command == "safelight db upgrade"
    assert schema.current(empty_url) is None
    migrate.ensure(empty_url, upgrade=True)
    assert schema.current(empty_url) == schema.head()
    migrate.ensure(empty_url, upgrade=False)


def test_asking_for_the_schema_makes_no_file(tmp_path: Path) -> None:
    assert schema.current(f"sqlite:///{tmp_path}/none.db") is None
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_away_is_told() -> None:
    with pytest.raises(Unavailable):
        schema.current(f"postgresql://nobody@127.0.0.1:{free_port()}/none")


@pytest.mark.parametrize("version", ["9999", "from a fork"])
def test_a_schema_of_a_later_release_is_left_alone(database_url: str, version: str) -> None:
    _set_version(database_url, version)
    with pytest.raises(NotMigrated, match="later release"):
        migrate.ensure(database_url, upgrade=True)


def test_processes_that_upgrade_at_once_all_succeed(empty_url: str) -> None:
    command = [sys.executable, "-c", UPGRADE, empty_url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate(timeout=60)[0].strip() for process in processes] == [schema.HEAD] * 3


def test_a_schema_that_fits_is_found_without_alembic(sqlite_url: str) -> None:
    subprocess.run([sys.executable, "-c", ENSURE, sqlite_url], check=True, timeout=60)


def test_rows_that_point_nowhere_undo_the_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "broken.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE a (n INTEGER PRIMARY KEY); CREATE TABLE b (a INTEGER REFERENCES a); INSERT INTO b VALUES (7);"
        )
    with pytest.raises(NotMigrated, match="1 row"):
        migrate.upgrade(f"sqlite:///{path}")
    assert schema.current(f"sqlite:///{path}") is None


def _postgres_schema(url: str) -> list[set[tuple[object, ...]]]:
    with psycopg.connect(url) as connection:
        found = [connection.execute(query).fetchall() for query in POSTGRES_SCHEMA]  # type: ignore[arg-type]
    return [{row for row in rows if row[0] != "alembic_version"} for rows in found]


def _sqlite_schema(path: Path) -> dict[str, list[str]]:
    """Every table and index with the parts of its definition, in any order: later steps add columns at the end."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {
        name: sorted(_parts(re.sub(r"\s+", " ", sql).strip(" )"))) for name, sql in found if name != "alembic_version"
    }


def _parts(definition: str) -> list[str]:
    """Split at the commas and the bracket that stand outside inner brackets."""
    head, _, body = definition.partition("(")
    return [head.strip(), *(part.strip(" )") for part in re.split(r",(?![^()]*\))", body))]


def _set_version(url: str, version: str) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("UPDATE alembic_version SET version_num = %s", (version,))
