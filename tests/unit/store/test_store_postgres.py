"""Postgres' own worries: deadlocks, lost connections, a server that is away, poolers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import psycopg
import pytest
from structlog.testing import capture_logs

from safelight.domain.errors import Unavailable
from safelight.store.calls import batch
from safelight.store.connect import open_database
from safelight.store.database import Database, Limits
from safelight.store.postgres import PostgresDatabase
from safelight.store.postgres_tx import Connection, _lock_text, array_literal
from safelight.store.tx import Tx
from safelight.testing.throwaway import free_port
from tests.unit.store.running import LIMIT_S, run
from tests.unit.store.toy_store import add_coins, count_notes, note, offer_note, open_purse, purse, purses


@batch
def offer(tx: Tx, ids: Sequence[str]) -> list[bool]:
    return tx.many(offer_note, [note(id) for id in ids])


def count(tx: Tx) -> int:
    return tx.all(count_notes)[0].n


def backend(tx: Tx) -> int:
    row = tx._cursor.execute("SELECT pg_backend_pid()").fetchone()  # type: ignore[attr-defined]
    return int(row[0])


def test_a_deadlock_runs_the_loser_again(postgres_database: Database) -> None:
    both_hold_one, winner_committed = threading.Barrier(2), threading.Event()
    runs: list[str] = []

    def forth(tx: Tx) -> None:
        _move(tx, "forth", 1, 2)

    def back(tx: Tx) -> None:
        _move(tx, "back", 2, 1)

    def _move(tx: Tx, name: str, first: int, second: int) -> None:
        runs.append(name)
        tx.after_commit(winner_committed.set)
        if runs.count(name) > 1:  # else it might get hold of its first purse again, and lose once more
            assert winner_committed.wait(LIMIT_S)
        tx.run(add_coins, which=first, more=-1)
        if runs.count(name) == 1:
            both_hold_one.wait(LIMIT_S)
        tx.run(add_coins, which=second, more=1)

    async def work() -> None:
        with postgres_database.transaction() as tx:
            tx.many(open_purse, [{"number": n, "coins": 5} for n in (1, 2)])
        await asyncio.gather(postgres_database.write(forth), postgres_database.write(back))
        rows = await postgres_database.read(lambda tx: tx.many(purse, [{"which": 1}, {"which": 2}]))
        assert [row.coins for row in rows if row] == [5, 5]
        assert len(runs) == 3

    with capture_logs() as logs:
        run(postgres_database, work)
    assert [line["because"] for line in logs if line["event"] == "transaction_rerun"] == ["deadlock detected"]


def test_a_connection_that_dies_before_the_commit_runs_the_calls_again(postgres_database: Database) -> None:
    killed: list[int] = []
    called: list[str] = []

    @batch
    def interrupted(tx: Tx, ids: Sequence[str]) -> list[bool]:
        answers = tx.many(offer_note, [note(id) for id in ids])
        tx.after_commit(lambda: called.append("once"))
        if not killed:
            killed.append(backend(tx))
            with postgres_database_of_another_thread.transaction() as other:
                other._cursor.execute("SELECT pg_terminate_backend(%s::int, 5000)", killed)  # type: ignore[attr-defined]
        return answers

    postgres_database_of_another_thread = open_database(postgres_database._address)  # type: ignore[attr-defined]

    async def work() -> None:
        assert await postgres_database.write(interrupted, "a") is True
        assert await postgres_database.read(count) == 1
        await asyncio.sleep(0)
        assert called == ["once"]

    with capture_logs() as logs:
        run(postgres_database, work)
    postgres_database_of_another_thread.close()
    assert len(killed) == 1
    assert [line["event"] for line in logs if line["log_level"] == "info"] == ["transaction_rerun"]


def test_a_commit_whose_answer_is_lost_runs_the_calls_again_and_nothing_is_there_twice(
    postgres_database: Database,
) -> None:
    """The server committed; the connection died before it could say so."""
    called: list[str] = []

    @batch
    def counted(tx: Tx, ids: Sequence[str]) -> list[bool]:
        tx.after_commit(lambda: called.append("once"))
        return tx.many(offer_note, [note(id) for id in ids])

    async def work() -> None:
        answers = await asyncio.gather(*(deaf.write(counted, f"n{n}") for n in range(3)))
        assert answers == [False] * 3, "they were there already: use cases take that for success"
        assert await deaf.read(count) == 3
        assert called == ["once"]

    class Deaf(PostgresDatabase):
        """Its first COMMIT is carried out and not answered."""

        commits = 0

        def connect(self) -> Connection:
            connection = super().connect()
            execute = connection.execute

            def unanswered(text: str, *args: object, **given: object) -> object:
                answer = execute(text, *args, **given)  # type: ignore[arg-type, call-overload]
                if text == "COMMIT" and not self.commits:
                    self.commits += 1
                    connection.close()
                    raise psycopg.OperationalError("server closed the connection unexpectedly")
                return answer

            connection.execute = unanswered  # type: ignore[assignment, method-assign]
            return connection

    deaf = Deaf(postgres_database._address, Limits(writers=1))  # type: ignore[attr-defined]
    with capture_logs() as logs:
        run(deaf, work)
    assert [line["event"] for line in logs if line["log_level"] == "info"] == ["transaction_rerun"]


@pytest.mark.parametrize("error", [psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected])
def test_a_transaction_that_lost_against_another_runs_again_until_it_is_committed(
    postgres_database: Database, error: type[psycopg.Error]
) -> None:
    runs: list[int] = []

    def losing(tx: Tx) -> int:
        tx.many(offer_note, [note("a")])
        runs.append(count(tx))
        if len(runs) < 4:
            raise error("lost")
        return len(runs)

    async def work() -> None:
        assert await postgres_database.write(losing) == 4
        assert runs == [1] * 4, "each began anew"

    with capture_logs() as logs:
        run(postgres_database, work)
    assert [line["run"] for line in logs if line["event"] == "transaction_rerun"] == [1, 2, 3]


def test_a_transaction_that_always_loses_is_given_up_at_last(postgres_database: Database) -> None:
    def losing(tx: Tx) -> None:
        raise psycopg.errors.SerializationFailure("lost")

    async def work() -> None:
        with pytest.raises(Unavailable, match="lost"):
            await postgres_database.write(losing)
        assert await postgres_database.write(offer, "a") is True

    with capture_logs():
        run(postgres_database, work)


def test_a_server_that_takes_no_writes_is_what_hinders_until_one_is_taken(postgres_database: Database) -> None:
    def refused(tx: Tx) -> None:
        raise psycopg.errors.DiskFull("could not extend file")

    async def work() -> None:
        assert postgres_database.hindrance() is None
        with pytest.raises(Unavailable, match="extend"):
            await postgres_database.write(refused)
        hindrance = postgres_database.hindrance()
        assert isinstance(hindrance, Unavailable)
        assert "Make room" in str(hindrance.remedy)
        await postgres_database.write(offer, "a")
        assert postgres_database.hindrance() is None

    run(postgres_database, work)


def test_a_server_that_ends_all_connections_costs_no_call(
    postgres_database: Database, postgres_server_url: str
) -> None:
    async def work() -> None:
        assert await asyncio.gather(*(postgres_database.write(offer, f"a{n}") for n in range(20))) == [True] * 20
        assert await postgres_database.read(count) == 20
        with postgres_database.transaction() as tx:
            assert count(tx) == 20
        await asyncio.to_thread(_end_all_connections, postgres_database, postgres_server_url)
        assert await asyncio.gather(*(postgres_database.write(offer, f"b{n}") for n in range(20))) == [True] * 20
        assert await postgres_database.read(count) == 40
        with postgres_database.transaction() as tx:
            assert count(tx) == 40

    with capture_logs():
        run(postgres_database, work)


def test_a_server_that_is_away_is_waited_for_a_while_and_then_told(free_address: str) -> None:
    database = open_database(free_address, Limits(away_s=0.3))

    async def work() -> None:
        started = time.monotonic()
        answers = await asyncio.gather(
            *(database.write(offer, f"n{n}") for n in range(5)), database.write(count), return_exceptions=True
        )
        assert {type(answer) for answer in answers} == {Unavailable}
        assert 0.3 <= time.monotonic() - started < LIMIT_S
        with pytest.raises(Unavailable):
            await database.read(count)
        with pytest.raises(Unavailable), database.transaction():
            pass

    run(database, work)


def test_a_row_that_stays_locked_fails_only_those_who_want_it(postgres_database: Database) -> None:
    class Impatient(PostgresDatabase):
        def connect(self) -> Connection:
            connection = super().connect()
            connection.execute("SET lock_timeout = '100ms'")
            return connection

    @batch
    def add(tx: Tx, numbers: Sequence[int]) -> list[bool]:
        return tx.many(add_coins, [{"which": n, "more": 1} for n in numbers])

    with postgres_database.transaction() as tx:
        tx.many(open_purse, [{"number": n, "coins": 0} for n in range(8)])
    address = postgres_database._address  # type: ignore[attr-defined]
    database = Impatient(address, Limits(writers=1))

    async def work() -> None:
        with psycopg.connect(address) as other:
            other.execute("SELECT 1 FROM purses WHERE number = 5 FOR UPDATE")
            answers = await asyncio.gather(*(database.write(add, n) for n in range(8)), return_exceptions=True)
        assert [answer is True for answer in answers] == [n != 5 for n in range(8)]
        assert isinstance(answers[5], Unavailable)
        assert answers[5].evidence["sqlstate"] == "55P03"

    run(database, work)


def test_rows_that_stay_locked_are_waited_for_a_while_and_then_all_are_told(postgres_database: Database) -> None:
    tries: list[int] = []

    @batch
    def add(tx: Tx, numbers: Sequence[int]) -> list[bool]:
        tries.append(len(numbers))
        tx._cursor.execute("SET LOCAL lock_timeout = '100ms'")  # type: ignore[attr-defined]
        return tx.many(add_coins, [{"which": n, "more": 1} for n in numbers])

    with postgres_database.transaction() as tx:
        tx.many(open_purse, [{"number": n, "coins": 0} for n in range(8)])
    address = postgres_database._address  # type: ignore[attr-defined]
    database = open_database(address, Limits(writers=1, away_s=0.15))

    async def work() -> None:
        with psycopg.connect(address) as other:
            other.execute("SELECT 1 FROM purses FOR UPDATE")
            answers = await asyncio.gather(*(database.write(add, n) for n in range(8)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {Unavailable}
        assert len(tries) < 8

    run(database, work)


def test_stopping_does_not_wait_for_a_server_that_is_away(free_address: str) -> None:
    database = open_database(free_address)

    async def work() -> None:
        database.start()
        write = asyncio.create_task(database.write(offer, "a"))
        await asyncio.sleep(0)
        async with asyncio.timeout(LIMIT_S):
            await database.stop()
        with pytest.raises(Unavailable):
            await write

    asyncio.run(work())


def test_prepared_statements_that_do_not_survive_are_given_up(postgres_database: Database) -> None:
    forgotten: list[int] = []

    def forget(tx: Tx) -> bool:
        """As a pooler does that hands out another server connection."""
        (first,) = tx.many(offer_note, [note("a")])
        if not forgotten:
            forgotten.append(1)
            tx._cursor.execute("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$")  # type: ignore[attr-defined]
        (second,) = tx.many(offer_note, [note("b")])
        return first and second

    async def work() -> None:
        assert await postgres_database.write(forget) is True
        assert await postgres_database.read(count) == 2

    with capture_logs() as logs:
        run(postgres_database, work)
    assert "prepared_statements_off" in {line["event"] for line in logs}


def test_locks_are_taken_in_key_order_whatever_order_is_asked(postgres_database: Database) -> None:
    runs: list[int] = []

    def lock(tx: Tx, keys: list[int]) -> None:
        runs.append(1)
        tx.lock(purses, keys)
        tx.many(add_coins, [{"which": key, "more": 1} for key in keys])

    def up(tx: Tx) -> None:
        lock(tx, list(range(50)))

    def down(tx: Tx) -> None:
        lock(tx, list(reversed(range(50))))

    async def work() -> None:
        with postgres_database.transaction() as tx:
            tx.many(open_purse, [{"number": n, "coins": 0} for n in range(50)])
        await asyncio.gather(*(postgres_database.write(case) for _ in range(20) for case in (up, down)))
        assert len(runs) == 40

    run(postgres_database, work)


def test_a_lock_orders_by_key_for_the_planner_too() -> None:
    assert _lock_text(purses).split("\n")[-1].strip().endswith("ORDER BY purses.number FOR UPDATE")


def test_connections_carry_the_programs_name(postgres_database: Database) -> None:
    with postgres_database.transaction() as tx:
        row = tx._cursor.execute("SHOW application_name").fetchone()  # type: ignore[attr-defined]
    assert row == ("safelight",)


def test_arrays_are_written_as_postgres_reads_them() -> None:
    assert array_literal(['a"b', "c\\d", None, True, 1.5, -3]) == '{"a\\"b","c\\\\d",NULL,True,1.5,-3}'


@pytest.fixture
def free_address() -> str:
    return f"postgresql://nobody@127.0.0.1:{free_port()}/none"


def _end_all_connections(database: Database, server_url: str) -> None:
    name = database._address.rpartition("/")[2]  # type: ignore[attr-defined]
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = %s AND pid <> pg_backend_pid()",
            (name,),
        )
