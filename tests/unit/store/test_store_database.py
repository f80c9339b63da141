"""Writing, reading and what happens after the commit: the same on SQLite and Postgres."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from safelight.domain.errors import Unavailable
from safelight.store.calls import batch
from safelight.store.connect import open_database
from safelight.store.database import Database, Limits
from safelight.store.statements import Query
from safelight.store.tx import Tx
from tests.unit.store.running import LIMIT_S, run
from tests.unit.store.toy_store import (
    Count,
    add_coins,
    all_notes,
    count_notes,
    insert_note,
    insert_note_numbered,
    note,
    note_by_id,
    open_purse,
    pledge,
    purse,
    rename,
)


@batch
def write_notes(tx: Tx, ids: Sequence[str]) -> list[int]:
    """Write notes; a bad one breaks the whole call, as a bug would."""
    if "bad" in ids:
        raise ValueError("bad")
    return [row.number for row in tx.many(insert_note_numbered, [note(id) for id in ids]) if row]


def write_note(tx: Tx, id: str, text: str | None = None) -> str:
    tx.run(insert_note, **note(id, text=text))
    return f"wrote {id}"


def count(tx: Tx) -> int:
    return tx.all(count_notes)[0].n


def test_a_batch_answers_each_caller_with_its_own_element(database: Database) -> None:
    async def work() -> None:
        ids = [f"n{n}" for n in range(300)]
        numbers = await asyncio.gather(*(database.write(write_notes, id) for id in ids))
        stored = await database.read(lambda tx: {row.id: row.number for row in tx.all(all_notes)})
        assert numbers == [stored[id] for id in ids]

    run(database, work)


def test_a_plain_function_takes_arguments_and_answers(database: Database) -> None:
    async def work() -> None:
        assert await database.write(write_note, "a", "t") == "wrote a"
        assert await database.write_first(write_note, "b") == "wrote b"
        assert await database.read(count) == 2
        found = await database.read(lambda tx: tx.one(note_by_id, id="a"))
        assert found is not None
        assert found.text == "t"

    run(database, work)


def test_one_bad_call_does_not_harm_those_that_share_its_commit(database: Database) -> None:
    async def work() -> None:
        ids = [f"n{n}" for n in range(40)]
        ids[17] = "bad"
        answers = await asyncio.gather(*(database.write(write_notes, id) for id in ids), return_exceptions=True)
        assert isinstance(answers[17], ValueError)
        assert sum(isinstance(answer, int) for answer in answers) == 39
        assert await database.read(count) == 39

    run(database, work)


def test_a_statement_that_fails_harms_only_its_caller(database: Database) -> None:
    async def work() -> None:
        await database.write(write_notes, "taken")
        ids = ["a", "taken", "b", "taken", "c"]
        answers = await asyncio.gather(
            *(database.write(write_notes, id) for id in ids),
            *(database.write(write_note, f"plain-{id}") for id in ids),
            return_exceptions=True,
        )
        failed = [isinstance(answer, Exception) for answer in answers]
        assert failed[:5] == [False, True, False, True, False]
        assert sum(failed[5:]) == 1  # the plain calls insert "plain-taken" twice, in either order
        assert await database.read(count) == 1 + 3 + 4

    run(database, work)


def test_a_call_that_spoils_the_commit_itself_harms_only_its_caller(database: Database) -> None:
    @batch
    def pledges(tx: Tx, notes: Sequence[int]) -> list[bool]:
        return tx.many(pledge, [{"number": n, "coins": 1, "note": n} for n in notes])

    async def work() -> None:
        numbers = [await database.write(write_notes, f"n{n}") for n in range(3)]
        answers = await asyncio.gather(
            *(database.write(pledges, n) for n in (*numbers, 999)),
            *(database.write(write_note, f"m{n}") for n in range(3)),
            return_exceptions=True,
        )
        assert answers[:3] == [True, True, True]
        assert isinstance(answers[3], Exception)
        assert answers[4:] == ["wrote m0", "wrote m1", "wrote m2"]
        assert await database.read(count) == 6

    run(database, work)


def test_a_swallowed_error_cannot_pass_for_a_commit(postgres_database: Database) -> None:
    def swallow(tx: Tx) -> str:
        tx.run(insert_note, **note("a"))
        try:
            tx.run(insert_note, **note("a"))
        except Exception:
            return "all is well"
        return "no"

    async def work() -> None:
        with pytest.raises(Exception, match="rolled back"):
            await postgres_database.write(swallow)
        assert await postgres_database.read(count) == 0

    run(postgres_database, work)


def test_callbacks_run_on_the_event_loop_once_the_commit_is_there(database: Database) -> None:
    seen: list[tuple[str, int, int]] = []

    def noted(tx: Tx, id: str) -> None:
        tx.run(insert_note, **note(id))
        tx.after_commit(lambda: seen.append((id, threading.get_ident(), _count_now(database))))

    async def work() -> None:
        await database.write(noted, "a")
        await asyncio.sleep(0)
        assert seen == [("a", threading.get_ident(), 1)]

    run(database, work)


def test_callbacks_of_what_was_rolled_back_never_run(database: Database) -> None:
    seen: list[str] = []

    @batch
    def noted(tx: Tx, ids: Sequence[str]) -> list[None]:
        for id in ids:
            tx.after_commit(lambda id=id: seen.append(id))
        tx.after_commit(lambda: 1 / 0)
        if "bad" in ids:
            raise ValueError("bad")
        return [None] * len(ids)

    async def work() -> None:
        ids = ["a", "bad", "b", "c"]
        with capture_logs() as logs:
            await asyncio.gather(*(database.write(noted, id) for id in ids), return_exceptions=True)
            await asyncio.sleep(0)
        assert sorted(seen) == ["a", "b", "c"]
        assert {line["event"] for line in logs} == {"after_commit_failed"}

    run(database, work)


def test_a_transaction_of_ones_own_commits_or_rolls_back_as_a_whole(database: Database) -> None:
    seen: list[str] = []
    with database.transaction() as tx:
        tx.run(insert_note, **note("a"))
        tx.after_commit(lambda: seen.append("a"))
        assert seen == []
    with pytest.raises(ZeroDivisionError):  # noqa: PT012, SIM117 - the transaction itself is what must pass it on
        with database.transaction() as tx:
            tx.run(insert_note, **note("b"))
            tx.after_commit(lambda: seen.append("b"))
            raise ZeroDivisionError
    assert seen == ["a"]
    assert _count_now(database) == 1


def test_a_read_sees_one_state_however_long_it_takes(database: Database) -> None:
    reading, written = threading.Event(), threading.Event()

    def twice(tx: Tx) -> tuple[int, int]:
        before = count(tx)
        reading.set()
        assert written.wait(LIMIT_S)
        return before, count(tx)

    async def work() -> None:
        counts = asyncio.create_task(database.read(twice))
        await asyncio.to_thread(reading.wait, LIMIT_S)
        await database.write(write_note, "a")
        written.set()
        assert await counts == (0, 0)
        assert await database.read(count) == 1

    run(database, work)


def test_a_read_cannot_write(database: Database) -> None:
    async def work() -> None:
        with pytest.raises(Exception, match=r"readonly|read-only"):
            await database.read(write_note, "a")
        assert await database.read(count) == 0

    run(database, work)


def test_a_write_inside_a_transaction_is_refused(database: Database) -> None:
    def inside(tx: Tx) -> None:
        with database.transaction():
            pass

    async def work() -> None:
        with pytest.raises(RuntimeError, match="A transaction is open in this thread"):
            await database.write(inside)
        with database.transaction(), pytest.raises(RuntimeError, match="A transaction is open in this thread"):
            await database.write(write_note, "a")
        assert await database.write(write_note, "a") == "wrote a"

    run(database, work)


def test_a_write_before_the_start_or_after_the_stop_says_so(database: Database) -> None:
    async def early() -> None:
        await database.write(write_note, "a")

    with pytest.raises(RuntimeError, match="start"):
        asyncio.run(early())

    async def late() -> None:
        database.start()
        await database.stop()
        with pytest.raises(Unavailable, match="being closed"):
            await database.write(write_note, "a")

    asyncio.run(late())


def test_stopping_first_finishes_what_waits(database: Database) -> None:
    async def work() -> None:
        database.start()
        writes = [asyncio.create_task(database.write(write_notes, f"n{n}")) for n in range(100)]
        await asyncio.sleep(0)
        await database.stop()
        assert len({await write for write in writes}) == 100

    asyncio.run(work())


def test_a_cancelled_wait_does_not_undo_the_write(database: Database) -> None:
    running, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        running.set()
        assert go_on.wait(LIMIT_S)
        tx.run(insert_note, **note("a"))

    async def work() -> None:
        write = asyncio.create_task(database.write(slow))
        await asyncio.to_thread(running.wait, LIMIT_S)
        write.cancel()
        with pytest.raises(asyncio.CancelledError):
            await write
        go_on.set()
        assert await database.write(write_note, "b") == "wrote b"

    run(database, work)
    assert _count_now(database) == 2


def test_a_write_beyond_the_room_is_refused_soon_and_the_beat_passes(database_url: str) -> None:
    database = open_database(database_url, Limits(waiting_calls=2, room_s=0.05))
    running, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> str:
        running.set()
        assert go_on.wait(LIMIT_S)
        return "slow"

    async def work() -> None:
        writes = [asyncio.create_task(database.write(slow)) for _ in range(2)]
        await asyncio.to_thread(running.wait, LIMIT_S)
        with pytest.raises(Unavailable, match="2 writes wait"):
            await database.write(slow)
        beat = asyncio.create_task(database.write_first(_clock))
        await asyncio.sleep(0)
        go_on.set()
        assert await beat > 0
        assert await asyncio.gather(*writes, database.write(slow)) == ["slow"] * 3

    run(database, work)


def test_a_cancelled_wait_takes_up_room_until_its_call_is_done(database_url: str) -> None:
    database = open_database(database_url, Limits(waiting_calls=1, room_s=0.05))
    running, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> str:
        running.set()
        assert go_on.wait(LIMIT_S)
        return "slow"

    async def work() -> None:
        write = asyncio.create_task(database.write(slow))
        await asyncio.to_thread(running.wait, LIMIT_S)
        write.cancel()
        with pytest.raises(asyncio.CancelledError):
            await write
        with pytest.raises(Unavailable, match="1 writes wait"):
            await database.write(slow)
        go_on.set()
        assert await database.write(slow) == "slow"

    run(database, work)


def test_a_call_that_waits_too_long_behind_its_own_use_case_is_given_up(database_url: str) -> None:
    database = open_database(database_url, Limits(away_s=0.2))
    running, go_on, runs = threading.Event(), threading.Event(), []

    def slow(tx: Tx) -> None:
        runs.append(1)
        running.set()
        assert go_on.wait(LIMIT_S)

    async def work() -> None:
        first = asyncio.create_task(database.write(slow))
        await asyncio.to_thread(running.wait, LIMIT_S)
        with pytest.raises(Unavailable):
            await database.write(slow)
        go_on.set()
        await first
        await database.write(_clock)
        assert len(runs) == 1

    run(database, work)


def test_calls_that_wait_share_one_call(database: Database) -> None:
    sizes: list[int] = []
    blocked, go_on = threading.Event(), threading.Event()

    @batch
    def sized(tx: Tx, ids: Sequence[str]) -> list[int]:
        sizes.append(len(ids))
        if ids[0] == "first":
            blocked.set()
            assert go_on.wait(LIMIT_S)
        return list(range(len(ids)))

    async def work() -> None:
        first = asyncio.create_task(database.write(sized, "first"))
        await asyncio.to_thread(blocked.wait, LIMIT_S)
        others = [asyncio.create_task(database.write(sized, f"n{n}")) for n in range(300)]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(first, *others)
        assert (sizes[0], len(sizes), sum(sizes)) == (1, 3, 301)
        assert max(sizes) <= 256

    run(database, work)


def test_a_batch_that_answers_too_few_items_is_a_bug_told_to_its_callers(database: Database) -> None:
    @batch
    def short(tx: Tx, ids: Sequence[str]) -> list[int]:
        return []

    async def work() -> None:
        with pytest.raises(TypeError, match="answered 0 of 1 items"):
            await database.write(short, "a")

    run(database, work)


def test_a_slow_use_case_is_named_in_the_log(database_url: str) -> None:
    database = open_database(database_url, Limits(slow_s=0.0))

    async def work() -> None:
        with capture_logs() as logs:
            assert await database.write(_clock) > 0
        slow = [line for line in logs if line["event"] == "use_case_slow"]
        assert [(line["use_case"], line["calls"]) for line in slow] == [("_clock", 1)]

    run(database, work)


def test_a_read_that_takes_too_long_is_ended(database_url: str) -> None:
    database = open_database(database_url, Limits(read_s=0.2))

    async def work() -> None:
        with pytest.raises(Unavailable) as refused:
            await database.read(_endless)
        assert refused.value.remedy.text.startswith("Ask for less")
        assert await database.read(_clock) > 0

    run(database, work)


def test_concurrent_transfers_lose_no_coin(database: Database) -> None:
    def move(tx: Tx, giver: int, taker: int) -> None:
        tx.run(add_coins, which=giver, more=-1)
        tx.run(add_coins, which=taker, more=1)

    async def work() -> None:
        with database.transaction() as tx:
            tx.many(open_purse, [{"number": n, "coins": 100} for n in range(4)])
        await asyncio.gather(*(database.write(move, n % 4, (n * 3 + 1) % 4) for n in range(200)))
        coins = await database.read(
            lambda tx: [row.coins for row in tx.many(purse, [{"which": n} for n in range(4)]) if row]
        )
        assert sum(coins) == 400

    run(database, work)


def test_wakes_reach_the_waker_after_the_commit(database: Database) -> None:
    woken: list[tuple[str, ...]] = []
    database.waker = woken.append

    def waking(tx: Tx) -> None:
        tx.run(rename, id="none", new_text="x")
        tx.wake("queue:image")
        tx.wake()
        assert woken == []

    async def work() -> None:
        await database.write(waking)
        await asyncio.sleep(0)

    run(database, work)
    assert woken == [("queue:image",)]


def _clock(tx: Tx) -> float:
    return tx.now


def _endless(tx: Tx) -> object:
    numbers = sa.select(sa.literal(1).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(sa.select(sa.literal(1).label("n")).select_from(numbers))
    return tx.all(Query(sa.select(sa.func.count()).select_from(numbers), Count))


def _count_now(database: Database) -> int:
    with database.reading() as tx:
        return count(tx)
