"""The claim loop: as many jobs as slots, woken by nudges, drained without losing any, its rows reconciled."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from safelight.domain.errors import Remedy, Unavailable
from safelight.domain.outcomes import Pending
from safelight.events.feeds import Feeds
from safelight.events.follow import follow
from safelight.services import presence, sweep
from safelight.services.cancel import cancel
from safelight.services.claim import Terms, claim
from safelight.services.claimable import ClaimedJob
from safelight.services.disk import LEAST_FREE_BYTES
from safelight.services.finish import finish
from safelight.services.hand_back import Return, hand_back
from safelight.storage.assets import AssetStore
from safelight.store.database import Database
from safelight.store.tx import Tx, wake_nobody
from safelight.testing.providers import Says, ScriptedProvider, Waits, done
from safelight.worker import room as room_module
from safelight.worker import runner as runner_module
from safelight.worker.bench import Pace
from safelight.worker.fetching import Fetching
from safelight.worker.runner import LeftWithoutEnding, Runner
from tests.integration.services.scene import turn_back
from tests.integration.worker.house import House, play


@asynccontextmanager
async def claiming(house: House) -> AsyncIterator[asyncio.Task[None]]:
    """The claim loop runs meanwhile."""
    loop = asyncio.create_task(house.runner.run())
    try:
        yield loop
    finally:
        await stop(loop)
        await house.runner.drain()


async def stop(loop: asyncio.Task[None]) -> None:
    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop


async def ended(house: House, *names: str) -> list[str]:
    """How each job ended, once it has."""

    async def ending(name: str) -> str:
        last = ""
        async for envelope in follow(Feeds(house.database, house.bench.hub), name, 0):
            last = envelope.type.removeprefix("job.") if envelope else last
        return last

    return list(await asyncio.gather(*map(ending, names)))


def test_jobs_that_wait_already_and_jobs_that_come_later_are_run(database: Database, tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        early, late = [f"e{n}" for n in range(6)], [f"l{n}" for n in range(6)]
        await house.submit(*early)
        async with claiming(house):
            assert await ended(house, *early) == ["completed"] * 6
            await house.submit(*late)
            assert await ended(house, *late) == ["completed"] * 6
        assert house.runner.busy == 0

    play(database, tmp_path, ScriptedProvider(), scenario)


def test_queues_take_turns_at_being_claimed_from_first(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def none_there(tx: Tx, worker_id: str, lines: Sequence[str], slots: int, terms: Terms) -> list[ClaimedJob]:
        asked.append(tuple(lines))
        return []

    async def scenario(house: House) -> None:
        monkeypatch.setattr(runner_module, "claim", none_there)
        runner = Runner(house.bench, queues=("image", "text", "video"), slots=1, drain_s=0)
        for _ in range(3):
            await runner._claim(1)
        assert {lines[0] for lines in asked} == {"image", "text", "video"}
        assert all(sorted(lines) == ["image", "text", "video"] for lines in asked)

    play(database, tmp_path, ScriptedProvider(), scenario)


def test_no_more_jobs_run_at_once_than_there_are_slots(database: Database, tmp_path: Path) -> None:
    steps = [Waits() for _ in range(3)]
    provider = ScriptedProvider(*([step, done()] for step in steps))

    async def scenario(house: House) -> None:
        await house.submit("a", "b", "c")
        async with claiming(house):
            await steps[0].reached.wait()
            await steps[1].reached.wait()
            assert house.runner.busy == 2
            rows = [(await house.look(name)).row.status for name in "abc"]
            assert Counter(rows) == {"processing": 2, "pending": 1}
            steps[0].let_go.set()
            await steps[2].reached.wait()
            steps[1].let_go.set()
            steps[2].let_go.set()
            assert await ended(house, "a", "b", "c") == ["completed"] * 3

    play(database, tmp_path, provider, scenario, slots=2)


def test_a_drain_lets_attempts_end_that_can_and_hands_the_others_back(database: Database, tmp_path: Path) -> None:
    slow = Waits()
    provider = ScriptedProvider([slow, Says(0.5), done()])

    async def scenario(house: House) -> None:
        await house.submit("a")
        loop = asyncio.create_task(house.runner.run())
        await slow.reached.wait()
        await stop(loop)
        await house.submit("b")
        await house.runner.drain()
        assert house.runner.busy == 0
        seen = await house.look("a")
        assert (seen.row.status, seen.row.ready, seen.row.attempt, seen.told[-1]) == ("pending", True, 0, "requeued")
        assert (await house.look("b")).told == ["submitted"]

    play(database, tmp_path, provider, scenario)


def test_a_drain_hands_accepted_calls_over_at_once(database: Database, tmp_path: Path) -> None:
    slow = Waits()
    provider = ScriptedProvider([Pending("r-1"), slow, *[Pending("r-1")] * 1_000], repeatable=False)

    async def scenario(house: House) -> None:
        await house.submit("a")
        loop = asyncio.create_task(house.runner.run())
        await slow.reached.wait()
        await stop(loop)
        slow.let_go.set()
        await house.runner.drain()
        seen = await house.look("a")
        assert (seen.row.status, seen.row.resumes, seen.call.state) == ("pending", True, "accepted")
        assert provider.canceled == []

    play(database, tmp_path, provider, scenario, drain_s=10_000.0)


def test_a_drain_hands_a_call_over_that_is_accepted_only_meanwhile(database: Database, tmp_path: Path) -> None:
    slow = Waits()
    provider = ScriptedProvider([slow, *[Pending("r-1")] * 10_000], repeatable=False)

    async def scenario(house: House) -> None:
        await house.submit("a")
        loop = asyncio.create_task(house.runner.run())
        await slow.reached.wait()
        await stop(loop)
        drained = asyncio.create_task(house.runner.drain())
        slow.let_go.set()
        await drained
        seen = await house.look("a")
        assert (seen.row.status, seen.row.resumes, seen.call.state) == ("pending", True, "accepted")

    play(database, tmp_path, provider, scenario, drain_s=10_000.0)


def test_a_drain_with_time_lets_every_attempt_end(database: Database, tmp_path: Path) -> None:
    slow = Waits()
    provider = ScriptedProvider([slow, done()])

    async def scenario(house: House) -> None:
        await house.submit("a")
        loop = asyncio.create_task(house.runner.run())
        await slow.reached.wait()
        await stop(loop)
        drained = asyncio.create_task(house.runner.drain())
        slow.let_go.set()
        await drained
        assert (await house.look("a")).row.status == "completed"

    play(database, tmp_path, provider, scenario, drain_s=20.0)


def test_a_claim_that_was_under_way_when_the_drain_began_leaves_no_job_lying(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(house: House) -> None:
        await house.submit("a")
        write, begun, go_on = house.database.write, asyncio.Event(), asyncio.Event()

        async def slow_claim(use_case: Any, *args: Any) -> Any:
            answer = await write(use_case, *args)
            if use_case is claim:
                begun.set()
                await go_on.wait()
            return answer

        monkeypatch.setattr(house.database, "write", slow_claim)
        loop = asyncio.create_task(house.runner.run())
        await begun.wait()
        loop.cancel()
        go_on.set()
        with suppress(asyncio.CancelledError):
            await loop
        await house.runner.drain()
        seen = await house.look("a")
        assert seen.row.status in ("completed", "pending")
        assert seen.row.worker_id is None

    play(database, tmp_path, ScriptedProvider(), scenario)


def test_rows_that_nobody_runs_are_handed_back_once_they_are_old_enough(database: Database, tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        await house.submit("old", "young")
        old, young = sorted(await house.claim(2), key=lambda taken: taken.id)
        await house.database.write(turn_back, old.number, "claimed_at", 11.0)
        await house.runner.reconcile()
        seen = await house.look("old")
        assert (seen.row.status, seen.row.ready, seen.row.attempt) == ("pending", True, 0)
        assert seen.row.lost_n == 1, "it must not go on like this for ever"
        assert seen.last_payload["code"] == "not_running"
        assert (await house.look("young")).row.fence == young.fence

    play(database, tmp_path, ScriptedProvider(), scenario)


def test_rows_that_are_run_are_left_alone_however_old(database: Database, tmp_path: Path) -> None:
    slow = Waits()

    async def scenario(house: House) -> None:
        await house.submit("a")
        async with claiming(house):
            await slow.reached.wait()
            row = (await house.look("a")).row
            await house.database.write(turn_back, row.number, "claimed_at", 1_000.0)
            await house.runner.reconcile()
            assert (await house.look("a")).row.fence == row.fence
            slow.let_go.set()
            assert await ended(house, "a") == ["completed"]

    play(database, tmp_path, ScriptedProvider([slow, done()]), scenario)


def test_a_cancel_whose_nudge_was_lost_is_heard_of_with_the_next_beat(database: Database, tmp_path: Path) -> None:
    hangs = Waits()

    async def scenario(house: House) -> None:
        await house.submit("a")
        async with claiming(house):
            await hangs.reached.wait()
            house.database.waker = wake_nobody
            assert await house.database.write(cancel, "a", "ann") == "processing"
            house.database.waker = house.bench.hub.wake
            await house.runner.reconcile()
            assert await ended(house, "a") == ["canceled"]

    play(database, tmp_path, ScriptedProvider([hangs]), scenario)


@pytest.mark.parametrize(("repeatable", "calls"), [(True, 2), (False, 1)])
def test_an_attempt_whose_job_was_taken_away_hears_of_it_with_the_next_beat_and_a_paid_call_goes_on(
    database: Database, tmp_path: Path, repeatable: bool, calls: int
) -> None:
    first = Waits()
    provider = ScriptedProvider([first, Says(0.5), done()], repeatable=repeatable)

    async def scenario(house: House) -> None:
        await house.submit("a")
        async with claiming(house):
            await first.reached.wait()
            row = (await house.look("a")).row
            house.database.waker = wake_nobody
            assert await house.database.write(hand_back, Return(row.number, row.fence, "taken", 0.0, False))
            house.database.waker = house.bench.hub.wake
            await house.runner.reconcile()
            first.let_go.set()
            house.bench.hub.wake(["queue:image"])
            assert await ended(house, "a") == ["completed"]
        assert len(provider.generations) == calls
        assert (True in provider.answers) is not repeatable, "a local call is stopped, a paid one never"

    play(database, tmp_path, provider, scenario)


def test_without_a_lease_nothing_is_claimed_and_nothing_is_sent(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "AFTER_ERROR_S", 0.005)
    provider = ScriptedProvider()

    async def scenario(house: House) -> None:
        attempt = await house.attempt("claimed before")
        monkeypatch.setattr(house.bench.presence, "_lease_s", 0.0)
        await house.submit("waits")
        await attempt.run()
        async with claiming(house):
            await asyncio.wait_for(house.database.read(_nothing), 5)
        assert provider.generations == []
        assert (await house.look("waits")).row.status == "pending"
        given_back = await house.look("claimed before")
        assert (given_back.row.status, given_back.row.ready, given_back.calls) == ("pending", True, [])
        assert (given_back.row.lost_n, given_back.row.attempt) == (0, 0), "nobody was lost, nothing was tried"

    play(database, tmp_path, provider, scenario)


@pytest.mark.parametrize(
    ("where", "too_little"),
    [(AssetStore, LEAST_FREE_BYTES - 1), (AssetStore, OSError("the disk is gone")), (Fetching, LEAST_FREE_BYTES - 1)],
)
def test_while_the_disk_is_full_nothing_is_claimed_and_what_runs_may_end(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: type, too_little: int | OSError
) -> None:
    monkeypatch.setattr(runner_module, "AFTER_ERROR_S", 0.005)
    monkeypatch.setattr(runner_module, "LOOK_AGAIN_S", 0.005)
    monkeypatch.setattr(room_module, "LOOK_EVERY_S", 0.0)
    slow, disk = Waits(), Disk()
    monkeypatch.setattr(where, "free_disk_bytes", disk.look)

    async def scenario(house: House) -> None:
        await house.submit("running")
        async with claiming(house):
            await slow.reached.wait()
            disk.free = too_little
            await disk.looked()
            await house.submit("waits")
            slow.let_go.set()
            assert await ended(house, "running") == ["completed"]
            await disk.looked()
            assert (await house.look("waits")).row.status == "pending"
            disk.free = LEAST_FREE_BYTES
            assert await ended(house, "waits") == ["completed"]

    play(database, tmp_path, ScriptedProvider([slow, done()]), scenario)


class Disk:
    """As free as the test says. `looked` returns after two more looks: what came before the first is over then."""

    def __init__(self) -> None:
        self.free: int | OSError = LEAST_FREE_BYTES
        self._looks = threading.Semaphore(0)

    def look(self, *_: object) -> int:
        self._looks.release()
        if isinstance(self.free, OSError):
            raise self.free
        return self.free

    async def looked(self) -> None:
        while self._looks.acquire(blocking=False):
            pass
        for _ in range(2):
            assert await asyncio.to_thread(self._looks.acquire, timeout=10), "nobody looks"


def _nothing(tx: object) -> None:
    """A look that takes as long as any other."""


def test_a_database_that_is_away_delays_claims_and_ends_no_loop(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "AFTER_ERROR_S", 0.005)

    async def scenario(house: House) -> None:
        await house.submit("a")
        write, failures = house.database.write, iter(range(3))

        async def failing(use_case: Any, *args: Any) -> Any:
            if use_case is claim and next(failures, None) is not None:
                raise Unavailable("The database is away.", remedy=Remedy("Wait."))
            return await write(use_case, *args)

        monkeypatch.setattr(house.database, "write", failing)
        async with claiming(house):
            assert await ended(house, "a") == ["completed"]

    play(database, tmp_path, ScriptedProvider(), scenario, pace=Pace(look_again_s=30.0))


def test_an_attempt_that_dies_without_an_ending_ends_the_loop_and_others_are_handed_back(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "LOOK_AGAIN_S", 0.01)
    dies, goes_on = Waits(), Waits()
    provider = ScriptedProvider([dies, done()], [goes_on, Says(0.5), done()])

    async def scenario(house: House) -> None:
        await house.submit("a")
        loop = asyncio.create_task(house.runner.run())
        await dies.reached.wait()
        await house.submit("b")
        await goes_on.reached.wait()
        write = house.database.write

        async def refusing(use_case: Any, *args: Any) -> Any:
            if use_case is finish:
                raise ValueError("a defect that no ending survives")
            return await write(use_case, *args)

        with monkeypatch.context() as patched:
            patched.setattr(house.database, "write", refusing)
            dies.let_go.set()
            with pytest.raises(LeftWithoutEnding, match="attempt-a"):
                await loop
        await house.runner.drain()
        assert [(await house.look(name)).row.status for name in "ab"] == ["processing", "pending"]
        await house.database.write(presence.depart, house.bench.presence.id)
        assert await house.database.write(sweep.take_from_lost) == 1, "when the process is gone its job is taken up"

    play(database, tmp_path, provider, scenario)
