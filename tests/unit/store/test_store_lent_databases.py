"""A database that was lent to one test is as good as new for the next."""

from __future__ import annotations

import psycopg

from safelight.store import schema
from safelight.testing.databases import LentDatabases


def test_what_a_test_left_behind_is_gone_for_the_next(postgres_databases: LentDatabases) -> None:
    with postgres_databases.lent() as first:
        left_open = psycopg.connect(first)
        left_open.execute("INSERT INTO accounts (user_id) VALUES ('u')")
        left_open.execute("CREATE TABLE left_behind (n integer)")
        left_open.execute("UPDATE alembic_version SET version_num = '9999'")
        left_open.commit()
        left_open.execute("SELECT 1 FROM accounts")
    left_open.close()
    with postgres_databases.lent() as second, psycopg.connect(second) as connection:
        assert second == first
        assert schema.current(second) == schema.HEAD
        assert connection.execute("SELECT to_regclass('left_behind')").fetchone() == (None,)
        row = connection.execute("INSERT INTO accounts (user_id) VALUES ('u') RETURNING number").fetchone()
        assert row == (1,)


def test_a_database_that_lost_its_tables_is_not_lent_again(postgres_databases: LentDatabases) -> None:
    with postgres_databases.lent() as first, psycopg.connect(first) as connection:
        connection.execute("DROP TABLE accounts")
    with postgres_databases.lent() as second:
        assert second != first
