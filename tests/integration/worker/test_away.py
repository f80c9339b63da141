"""A database that is away for longer than a lease: a worker waits, says why once, loses no answer, and goes on."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from safelight.maintenance.lost import LostWatch, Machine
from safelight.maintenance.sweeper import Sweeper, SweepRules
from safelight.queues.nudges import Nudges
from safelight.services import presence as rows
from safelight.services import sweep
from safelight.store.connect import open_database
from safelight.store.database import Database, Limits
from safelight.testing.providers import Says, ScriptedProvider, Waits, done
from safelight.worker import machine
from safelight.worker import process as process_module
from safelight.worker import runner as runner_module
from safelight.worker.attempt import Attempt
from safelight.worker.presence import Presence, Role
from safelight.worker.process import Rhythm, RunningProcess
from safelight.worker.runner import Runner
from tests.integration.worker.house import PATIENCE_S, House, play
from tests.integration.worker.test_runner import ended
from tests.support.wire import wired

LEASE_S = 1.2
HASTY = Limits(writers=1, readers=1, busy_s=0.3, away_s=0.5)


@dataclass(frozen=True)
class Remote:
    """A database, and a way to make it go away while a block lasts."""

    database: Database
    gone: Callable[[], AbstractContextManager[None]]


@pytest.fixture
def remote(database_url: str) -> Iterator[Remote]:
    """On SQLite it is another program that locks the file, on Postgres the network that is cut."""
    if database_url.startswith("sqlite"):
        database = open_database(database_url, HASTY)
        yield Remote(database, lambda: locked(database_url.removeprefix("sqlite:///")))
        database.close()
        return
    with wired(database_url) as (wire, through):

        @contextmanager
        def gone() -> Iterator[None]:
            wire.cut()
            yield
            wire.mend()

        database = open_database(through, HASTY)
        yield Remote(database, gone)
        database.close()


@contextmanager
def locked(path: str) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=PATIENCE_S)) as foreign:
        foreign.execute("BEGIN EXCLUSIVE")
        yield
        foreign.execute("ROLLBACK")


@asynccontextmanager
async def at_work(house: House) -> AsyncIterator[Presence]:
    """The whole process around the house: it beats, sweeps, claims and watches others."""
    bench, hub = house.bench, house.bench.hub
    role = Role("worker", ("image",), ("scripted",), 4)
    presence = Presence(house.database, role, lease_s=LEASE_S, nudge_address=None, busy=lambda: 0)
    object.__setattr__(bench, "presence", presence)
    runner = Runner(bench, queues=("image",), slots=4, drain_s=0.0)
    rhythm = Rhythm(LEASE_S, 0.1)
    # A lease this short passes without a tick on a busy machine: the tests' own process must not end for it.
    running = RunningProcess(
        house.database,
        hub,
        Nudges(hub),
        presence,
        runner,
        rhythm,
        end_hung=lambda hung_s: print(f"hung {hung_s:.1f} s"),
    )
    watch = LostWatch(Machine(machine.host_name(), machine.boot_id(), machine.is_gone), LEASE_S)
    # It asks its own process to end when a part of it dies: here that is for the last line to tell.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: None)
    await running.start(
        Sweeper(house.database, watch, SweepRules(LEASE_S), seen=running.meet, beats=lambda: presence.lease_held)
    )
    try:
        yield presence
    finally:
        await running.drain()
        await running.stop()
    assert not running.failed


@pytest.mark.parametrize("answers", ["while it is away", "once it is back"])
def test_a_paid_call_in_flight_survives_a_database_that_is_away_for_longer_than_a_lease(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: str
) -> None:
    monkeypatch.setattr(runner_module, "AFTER_ERROR_S", 0.01)
    monkeypatch.setattr(process_module, "LOOK_EVERY_S", 0.05)
    slow = Waits()
    provider = ScriptedProvider([slow, done()], repeatable=False)

    async def scenario(house: House) -> None:
        async with at_work(house) as presence:
            await house.submit("a")
            await slow.reached.wait()
            with remote.gone():
                gone_at = asyncio.get_running_loop().time()
                await until(lambda: not presence.lease_held)
                if answers == "while it is away":
                    slow.let_go.set()
                await until(lambda: asyncio.get_running_loop().time() - gone_at > LEASE_S)
            slow.let_go.set()
            assert await ended(house, "a") == ["completed"]
            seen = await house.look("a")
            assert (seen.call.state, seen.row.lost_n, seen.row.attempt) == ("succeeded", 0, 1)
            await house.submit("b")
            assert await ended(house, "b") == ["completed"]
            await until(lambda: not presence.draining and presence.lease_held)
            await until(lambda: said("database_hindered_no_longer"))
        assert len(provider.generations) == 2

    def said(event: str) -> int:
        return sum(line["event"] == event and line["log_level"] != "debug" for line in logs)

    with capture_logs() as logs:
        play(remote.database, tmp_path, provider, scenario)
    assert (said("database_hindered"), said("database_hindered_no_longer")) == (1, 1)
    warnings = Counter(line["event"] for line in logs if line["log_level"] in ("warning", "error", "critical"))
    del warnings["use_case_slow"]
    assert set(warnings.values()) == {1}, f"said again and again: {warnings}"


def test_a_process_that_was_lost_cuts_no_paid_call_and_claims_under_its_new_name(
    database: Database, tmp_path: Path
) -> None:
    slow = Waits()
    provider = ScriptedProvider([slow, Says(0.5), done()], repeatable=False)

    async def scenario(house: House) -> None:
        presence = house.bench.presence
        attempt = await house.attempt("a")
        running = asyncio.create_task(attempt.run())
        await slow.reached.wait()
        old = presence.id
        assert await house.database.write(rows.declare_lost, old, 0)
        assert await house.database.write(sweep.take_from_lost) == 1
        assert (await house.look("a")).call.state == "unknown"
        assert not await presence.beat()
        assert presence.id != old
        slow.let_go.set()
        await running
        assert provider.answers == [True], "it was not cut"
        assert (await house.look("a")).row.status == "pending", "its end belongs to whoever holds it next"
        (taken,) = await house.claim()
        assert (await house.look("a")).row.worker_id == presence.id
        await Attempt(house.bench, taken).run()
        again = await house.look("a")
        assert (again.row.status, again.call.state) == ("completed", "succeeded")
        assert len(provider.generations) == 1, "what the old one brought was kept, and nothing was paid twice"

    play(database, tmp_path, provider, scenario)


async def until(it_is_so: Callable[[], Any]) -> None:
    while not it_is_so():  # noqa: ASYNC110  # clocks and log lines set no event
        await asyncio.sleep(0.005)
