"""Use cases that a power cut may undo do not wait for the disk; those that must last always do, also side by side."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from safelight.services.finish import finish
from safelight.services.progress import progress
from safelight.services.submit import submit
from safelight.store.calls import batch, is_durable, volatile
from safelight.store.group_commit import GroupCommit
from safelight.store.sqlite import SqliteDatabase
from safelight.store.tx import Tx
from tests.unit.store.running import LIMIT_S, run


@volatile
def soon_forgotten(tx: Tx, items: Sequence[int]) -> list[int]:
    return list(items)


@batch
def kept(tx: Tx, items: Sequence[int]) -> list[int]:
    ran_under.extend(level_now * len(items))
    return list(items)


level_now: list[str] = []
"""That of the transaction which is open."""
ran_under: list[str] = []
"""That of the transaction in which each item of `kept` ran."""


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The level of synchronisation of each commit, read from SQLite inside the transaction."""
    levels: list[str] = []
    really = GroupCommit._transact

    def noted(self: GroupCommit, work: Callable[[Tx], None], **given: Any) -> Any:
        def look_and_work(tx: Tx) -> None:
            (level,) = self._connection.execute("PRAGMA synchronous").fetchone()
            levels.append({1: "NORMAL", 2: "FULL"}[level])
            level_now[:] = levels[-1:]
            work(tx)

        return really(self, look_and_work, **given)

    monkeypatch.setattr(GroupCommit, "_transact", noted)
    return levels


def test_only_what_may_be_undone_is_not_waited_for(tmp_path: Path, commits: list[str]) -> None:
    database = SqliteDatabase(tmp_path / "a.db")

    async def work() -> None:
        for use_case in (soon_forgotten, kept, soon_forgotten, kept):
            assert await database.write(use_case, 1) == 1

    run(database, work)
    assert commits == ["NORMAL", "FULL", "NORMAL", "FULL"]


def test_what_must_last_never_runs_in_a_transaction_that_does_not_wait(tmp_path: Path, commits: list[str]) -> None:
    database = SqliteDatabase(tmp_path / "a.db")
    ran_under.clear()

    async def work() -> None:
        await asyncio.gather(*(database.write(use_case, n) for n in range(100) for use_case in (soon_forgotten, kept)))

    run(database, work)
    assert ran_under == ["FULL"] * 100


def test_what_must_last_does_not_join_a_transaction_that_will_not_wait(tmp_path: Path, commits: list[str]) -> None:
    database = SqliteDatabase(tmp_path / "a.db")
    began, may_end = threading.Event(), threading.Event()
    ran_under.clear()

    @volatile
    def slow(tx: Tx, items: Sequence[int]) -> list[int]:
        began.set()
        assert may_end.wait(LIMIT_S)
        return list(items)

    async def work() -> None:
        first = asyncio.create_task(database.write(slow, 1))
        assert await asyncio.to_thread(began.wait, LIMIT_S)
        second = asyncio.create_task(database.write(kept, 2))
        await asyncio.sleep(0)  # it waits in line now
        assert database.lines.wants_durable()
        may_end.set()
        await asyncio.gather(first, second)

    run(database, work)
    assert (commits, ran_under) == (["NORMAL", "FULL"], ["FULL"])


def test_progress_may_be_undone_and_nothing_that_is_promised() -> None:
    assert not is_durable(progress)
    assert is_durable(submit)
    assert is_durable(finish)
    assert is_durable(lambda tx: None)
