"""The sweeper end to end, on both databases: what it finds, does and counts."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
import sqlalchemy as sa

from safelight.maintenance import sweeper as sweeper_module
from safelight.maintenance.lost import LostWatch, Machine
from safelight.maintenance.sweeper import Sweeper, SweepRules
from safelight.services import durations, presence
from safelight.services.cancel import cancel
from safelight.services.caps import CapBook, Caps
from safelight.services.claim import claim
from safelight.services.presence import Process
from safelight.services.sql import REAL, arg
from safelight.services.users import set_user
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Change
from safelight.testing.books import assert_books_balance
from tests.integration.services.scene import batched, claimed, complete, job, set_scene, submitted, turn_back

_LOST_AT = Change(
    sa.update(tables.workers).where(tables.workers.c.id == arg("who")).values(lost_at=arg("moved_to", REAL))
)
HERE = Machine("host", "boot", lambda pid, started: True)  # `hire` registers every worker there: none of them runs
ELSEWHERE = Machine("elsewhere", "boot", lambda pid, started: True)


def sweep(
    database: Database, machine: Machine, *, thorough: bool = True, times: int = 1
) -> tuple[list[Counter[str]], list[list[Process]]]:
    """What each run counted, and whom it saw."""
    seen: list[list[Process]] = []
    sweeper = Sweeper(database, LostWatch(machine, 30.0), SweepRules(30.0), seen=seen.append)

    async def run() -> list[Counter[str]]:
        database.start()
        try:
            return [await sweeper.run_once(thorough=thorough) for _ in range(times)]
        finally:
            await database.stop()

    return asyncio.run(run()), seen


def test_jobs_of_a_dead_process_of_this_machine_come_back_at_the_first_look(database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx)
        claimed(tx, "a", "b")
    counts, seen = sweep(database, HERE, thorough=False, times=2)
    assert counts == [Counter(lost=1, taken_back=2), Counter()]
    assert [[process.id for process in processes] for processes in seen] == [["w1"], ["w1"]]
    with database.transaction() as tx:
        assert [(job(tx, name).status, job(tx, name).ready) for name in "ab"] == [("pending", True)] * 2
        assert_books_balance(tx)


def test_a_process_elsewhere_is_left_alone_and_nothing_is_written_when_there_is_nothing_to_do(
    database: Database,
) -> None:
    with database.transaction() as tx:
        set_scene(tx)
        (taken,) = claimed(tx, "a")
    counts, _ = sweep(database, ELSEWHERE, times=3)
    assert counts == [Counter()] * 3
    with database.transaction() as tx:
        assert complete(tx, taken)


def test_a_thorough_run_does_everything_there_is_to_do(database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=("w1", "gone"))
        claimed(tx, "orphan", worker="gone")
        presence.depart(tx, "gone")
        submitted(tx, "due", "late", start_at=tx.now + 60)
        turn_back(tx, job(tx, "due").number, "due_at")
        turn_back(tx, job(tx, "late").number, "deadline_at")
    counts, _ = sweep(database, ELSEWHERE)
    assert counts == [Counter(ready=1, expired=1, taken_back=1)]
    with database.transaction() as tx:
        assert [job(tx, name).status for name in ("orphan", "due", "late")] == ["pending", "pending", "failed"]
        assert job(tx, "due").ready
        assert_books_balance(tx)


def test_a_quick_run_leaves_deadlines_and_orphans_to_the_next_thorough_one(database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=("w1", "gone"))
        claimed(tx, "orphan", worker="gone")
        presence.depart(tx, "gone")
        submitted(tx, "due", start_at=tx.now + 60)
        turn_back(tx, job(tx, "due").number, "due_at")
    counts, _ = sweep(database, ELSEWHERE, thorough=False)
    assert counts == [Counter(ready=1)]


def test_a_thorough_run_learns_how_long_models_take_and_the_next_has_nothing_to_learn(database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx)
        for taken in claimed(tx, *(f"a{n}" for n in range(5))):
            assert complete(tx, taken)
    assert sweep(database, ELSEWHERE, times=2)[0] == [Counter(measured=1), Counter()]
    with database.transaction() as tx:
        assert durations.known(tx)["fake"].jobs == 5


def test_every_run_hears_whether_some_users_have_a_cap_of_their_own(database: Database) -> None:
    book = CapBook(Caps(4))
    sweeper = Sweeper(database, LostWatch(ELSEWHERE, 30.0), SweepRules(30.0, book), seen=lambda _: None)

    async def run() -> list[bool]:
        database.start()
        told = []
        try:
            for changes in ({"tier": "free"}, {"running_cap": 2}, {"running_cap": None}):
                await database.write(set_user, "ann", changes)
                await sweeper.run_once(thorough=False)
                told.append(book.now.exceptions)
        finally:
            await database.stop()
        return told

    assert asyncio.run(run()) == [False, True, False]
    assert book.now.usual == 4


def test_a_process_that_beat_since_the_look_is_not_declared_lost(database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx)

    class Beating(LostWatch):
        """The process beats between the sweeper's look and its verdict."""

        def lost(self, processes: object, now_s: float) -> list[Process]:
            verdict = super().lost(processes, now_s)  # type: ignore[arg-type]
            with database.transaction() as tx:
                assert presence.beat(tx, presence.Beat("w1", 0, False, 0.0, 0))
            return verdict

    sweeper = Sweeper(database, Beating(HERE, 30.0), SweepRules(30.0), seen=lambda _: None)

    async def run() -> Counter[str]:
        database.start()
        try:
            return await sweeper.run_once()
        finally:
            await database.stop()

    assert asyncio.run(run()) == Counter()
    with database.transaction() as tx:
        assert presence.processes(tx)[0].lost_at is None


def test_a_thorough_run_forgets_processes_that_were_lost_long_ago(database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=("long ago", "just now", "live"))
        for name in ("long ago", "just now"):
            assert presence.declare_lost(tx, name, 0)
        tx.run(_LOST_AT, who="long ago", moved_to=tx.now - presence.FORGET_LOST_AFTER_S - 1)
    assert sweep(database, ELSEWHERE, times=2)[0] == [Counter(forgotten=1), Counter()]
    with database.transaction() as tx:
        assert sorted(process.id for process in presence.processes(tx)) == ["just now", "live"]


def test_only_thorough_runs_that_came_to_their_end_count_as_sweeps(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeper = Sweeper(database, LostWatch(ELSEWHERE, 30.0), SweepRules(30.0), seen=lambda _: None)

    async def run() -> None:
        database.start()
        try:
            await sweeper.run_once(thorough=False)
            assert sweeper.sweeps_n == 0
            await sweeper.run_once()
            assert sweeper.sweeps_n == 1
            monkeypatch.setattr(database, "read", _broken)
            with pytest.raises(OSError, match="away"):
                await sweeper.run_once()
            assert sweeper.sweeps_n == 1
        finally:
            await database.stop()

    asyncio.run(run())


async def _broken(*_: object) -> None:
    raise OSError("away")


def test_a_sweeper_that_could_not_beat_itself_calls_nobody_silent(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What kept it from writing may have kept all others: else a lock of half a minute would lose every worker."""
    with database.transaction() as tx:
        set_scene(tx)
    seconds = iter(range(1_000))
    monkeypatch.setattr(sweeper_module, "local_s", lambda: float(next(seconds)))
    hindered = iter([*[False] * 10, True])
    watching = LostWatch(ELSEWHERE, 30.0)
    sweeper = Sweeper(
        database, watching, SweepRules(30.0), seen=lambda _: None, beats=lambda: not next(hindered, False)
    )

    async def run() -> list[int]:
        database.start()
        try:
            return [n for n in range(45) if (await sweeper.run_once(thorough=False))["lost"]]
        finally:
            await database.stop()

    assert asyncio.run(run()) == [40], "not 30: the eleventh look began a new watch"


def test_batches_are_canceled_on_and_repaired(database: Database) -> None:
    forget = Change(sa.update(tables.batches).values(completed=0, failed=0, canceled=0))
    with database.transaction() as tx:
        set_scene(tx)
        batched(tx, "stale", ["s1", "s2"])
        first, second = claim(tx, "w1", ["image"], 2)
        complete(tx, first)
        tx.run(forget)
        complete(tx, second)
        batched(tx, "canceled", ["c1", "c2"])
        cancel(tx, "canceled", "ann")
    counts, _ = sweep(database, ELSEWHERE, times=2)
    assert counts == [Counter(canceled=2, recounted=1), Counter()]
    with database.transaction() as tx:
        assert [job(tx, name).status for name in ("stale", "canceled")] == ["completed", "canceled"]
        assert_books_balance(tx)
