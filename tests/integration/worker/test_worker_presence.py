"""The presence of a process: it beats, knows whether it may act, and comes back under a new name when it was lost."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from safelight.services import presence as rows
from safelight.services.presence import Process
from safelight.store.database import Database
from safelight.worker import machine
from safelight.worker.presence import Presence, Role

PATIENCE_S = 30.0


def play(
    database: Database, scenario: Callable[[Presence], Awaitable[None]], *, lease_s: float = 30.0, **given: Any
) -> None:
    async def run() -> None:
        database.start()
        role = Role("worker", ("image",), ("scripted",), 4, url="http://127.0.0.1:1", kinds=("image", "text"))
        presence = Presence(database, role, lease_s=lease_s, nudge_address="127.0.0.1:9", busy=lambda: 3, **given)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await presence.register()
                await scenario(presence)
        finally:
            await database.stop()

    asyncio.run(run())


async def present(database: Database) -> list[Process]:
    return await database.read(rows.processes)


def test_a_process_registers_beats_and_departs(database: Database) -> None:
    async def scenario(presence: Presence) -> None:
        presence.draining = True
        assert await presence.beat()
        (seen,) = await present(database)
        assert (seen.id, seen.role, seen.beat_n, seen.busy, seen.draining) == (presence.id, "worker", 1, 3, True)
        assert (seen.pid, seen.host, seen.boot_id) == (os.getpid(), machine.host_name(), machine.boot_id())
        assert (seen.kind_names, seen.provider_names) == (["image", "text"], ["scripted"])
        assert (seen.queue_names, seen.slots, seen.nudge_address) == (["image"], 4, "127.0.0.1:9")
        assert seen.process_started == (machine.process_started(os.getpid()) or "")
        await presence.depart()
        assert await present(database) == []

    play(database, scenario)


@pytest.mark.parametrize("fate", ["declared lost", "row gone"])
def test_a_process_that_was_lost_comes_back_under_a_new_name(database: Database, fate: str) -> None:
    async def scenario(presence: Presence) -> None:
        old = presence.id
        if fate == "row gone":
            await database.write(rows.depart, old)
        else:
            assert await database.write(rows.declare_lost, old, 0)
        assert not await presence.beat()
        assert presence.id != old
        assert presence.lease_held
        live = [process.id for process in await present(database) if process.lost_at is None]
        assert live == [presence.id]
        assert await presence.beat()

    play(database, scenario)


class Clock:
    """Stands still until it is told the time."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_process_may_act_only_while_its_last_beat_is_young(database: Database) -> None:
    clock = Clock()

    async def scenario(presence: Presence) -> None:
        clock.now_s += 19
        assert presence.lease_held
        clock.now_s += 2
        assert not presence.lease_held
        await presence.beat()
        assert presence.lease_held

    play(database, scenario, clock=clock)


def test_a_beat_that_waited_while_the_loop_hung_is_not_written_before_the_loop_is_back(database: Database) -> None:
    """The writer has a thread of its own: without a look at the loop it would beat for a process that does nothing."""
    clock, looks = Clock(), list[float]()

    async def scenario(presence: Presence) -> None:
        def time_that_passes_in_line() -> float:
            if threading.current_thread() is not threading.main_thread() and not looks:
                looks.append(clock.now_s)
                clock.now_s += 16
            return clock.now_s

        presence._clock = time_that_passes_in_line
        presence._beat_while_ticking = spied(presence._beat_while_ticking)  # type: ignore[method-assign]
        assert await presence.beat()
        assert answers == [None, True]
        (seen,) = await present(database)
        assert seen.beat_n == 1
        assert presence.lease_held

    answers: list[bool | None] = []

    def spied(beat: Callable[..., bool | None]) -> Callable[..., bool | None]:
        def run(*args: Any) -> bool | None:
            answers.append(beat(*args))
            return answers[-1]

        return run

    play(database, scenario, clock=clock)


async def another_tick(presence: Presence, last: float) -> None:
    while presence.ticked_at == last:  # noqa: ASYNC110
        await asyncio.sleep(0)


def test_ticks_show_that_the_loop_runs_and_how_late_it_is(database: Database) -> None:
    async def scenario(presence: Presence) -> None:
        before = presence.ticked_at
        ticking = asyncio.create_task(presence.tick())
        await another_tick(presence, before)
        time.sleep(0.2)  # noqa: ASYNC251  # the loop hangs
        hung = presence.ticked_at
        await another_tick(presence, hung)
        ticking.cancel()
        assert await presence.beat()
        (seen,) = await present(database)
        assert seen.loop_lag_ms > 100
        assert await presence.beat()
        (seen,) = await present(database)
        assert seen.loop_lag_ms == 0.0, "told once"

    play(database, scenario, lease_s=0.5)


def test_it_beats_on_and_on_even_when_the_database_was_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(presence: Presence) -> None:
        write, beats, enough = database.write_first, 0, asyncio.Event()

        async def failing_first(*args: Any) -> Any:
            nonlocal beats
            beats += 1
            if beats <= 2:
                raise OSError("away")
            answer = await write(*args)
            if beats >= 5:
                enough.set()
            return answer

        monkeypatch.setattr(database, "write_first", failing_first)
        loop = asyncio.create_task(presence.run())
        await enough.wait()
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        (seen,) = await present(database)
        assert seen.beat_n >= 3

    play(database, scenario, lease_s=0.06)


def test_a_machine_tells_its_own_processes_apart() -> None:
    own = machine.process_started(os.getpid()) or ""
    assert not machine.is_gone(os.getpid(), own)
    assert machine.is_gone(2**22 + 1, own)
    assert machine.rss_bytes() > 1_000_000
    assert machine.boot_id() == machine.boot_id() != ""


def test_a_process_that_was_killed_is_gone_even_before_its_parent_asks_for_it() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        started = machine.process_started(child.pid) or ""
        assert not machine.is_gone(child.pid, started)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is still a zombie
        assert machine.is_gone(child.pid, started)
    finally:
        child.communicate()
