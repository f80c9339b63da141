"""Every statement of the program is one that both databases understand."""

from __future__ import annotations

import re

import pytest

from safelight.store.connect import open_database
from safelight.store.statements import SQLITE, Statement, postgres_dialect
from tests.support.statements import statements, values_for


@pytest.fixture(scope="module")
def found() -> dict[str, Statement]:
    return dict(statements())


def test_there_are_statements_to_check(found: dict[str, Statement]) -> None:
    assert len(found) > 20


def test_sqlite_understands_every_statement(found: dict[str, Statement], sqlite_url: str) -> None:
    connection = open_database(sqlite_url).connect()  # type: ignore[attr-defined]
    misunderstood = {}
    for name, statement in found.items():
        try:
            connection.execute(f"EXPLAIN {statement.text(SQLITE)}", dict.fromkeys(statement.arguments)).fetchall()
        except Exception as error:
            misunderstood[name] = f"{error}: {statement!r}"
    connection.close()
    assert misunderstood == {}


def test_no_statement_walks_through_every_job_there_ever_was(found: dict[str, Statement], sqlite_url: str) -> None:
    connection = open_database(sqlite_url).connect()  # type: ignore[attr-defined]
    walks = {}
    for name, statement in found.items():
        text = statement.text(SQLITE)
        names = "|".join({"jobs", *re.findall(r"\bjobs AS (\w+)", text)})
        plan = connection.execute(f"EXPLAIN QUERY PLAN {text}", dict.fromkeys(statement.arguments)).fetchall()
        if any(re.fullmatch(f"SCAN (?:{names})", line[-1]) for line in plan):
            walks[name] = [line[-1] for line in plan]
    connection.close()
    assert walks == {}


def test_postgres_understands_every_statement(found: dict[str, Statement], postgres_url: str) -> None:
    connection = open_database(postgres_url).connect()  # type: ignore[attr-defined]
    misunderstood = {}
    for name, statement in found.items():
        try:
            text = statement.text(postgres_dialect())
            connection.execute(f"EXPLAIN {text}", values_for(statement))
        except Exception as error:
            misunderstood[name] = f"{error}: {statement!r}"
    connection.close()
    assert misunderstood == {}
