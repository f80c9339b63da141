"""Following a job: each stored event once and in order, whatever is lost on the way, until its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from safelight.domain.jobs import Status
from safelight.events import feeds as feeds_module
from safelight.events import follow as follow_module
from safelight.events.feeds import Feeds
from safelight.events.follow import Envelope, follow
from safelight.events.hub import Hub
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.finish import Ending, finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.progress import Step, progress
from safelight.store.database import Database
from tests.integration.services.scene import set_scene, submitted

PATIENCE_S = 30.0


class Stage:
    """A database at work, a job `a` in it, and readers of it."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self.database, self.hub, self.feeds = database, hub, Feeds(database, hub)

    async def reader(self, cursor: int = 0) -> AsyncIterator[Envelope]:
        """As `follow`, without the quiet moments."""
        async for envelope in follow(self.feeds, "a", cursor):
            if envelope is not None:
                yield envelope

    async def claim(self) -> tuple[int, int]:
        (job,) = await self.database.write(claim, "w1", ["image"], 1)
        return job.number, job.fence

    async def step(self, lease: tuple[int, int], reached: float, preview: str | None = None) -> None:
        step = Step(*lease, "running", reached, "image/webp" if preview else None, preview)
        await self.database.write(progress, step)

    async def end(self, lease: tuple[int, int]) -> None:
        assert await self.database.write(finish, Ending(*lease, Status.COMPLETED))


@asynccontextmanager
async def opened(database: Database, *, woken: bool = True) -> AsyncIterator[Stage]:
    hub = Hub()
    database.start()
    database.waker = hub.wake if woken else database.waker
    try:
        await database.write(set_scene)
        await database.write(submitted, "a")
        yield Stage(database, hub)
    finally:
        await database.stop()


def play(database: Database, scenario: Callable[[Stage], Awaitable[None]], *, woken: bool = True) -> None:
    async def run() -> None:
        async with asyncio.timeout(PATIENCE_S), opened(database, woken=woken) as stage:
            await scenario(stage)

    asyncio.run(run())


def kinds(envelopes: list[Envelope]) -> list[str]:
    return [envelope.type.removeprefix("job.") for envelope in envelopes]


async def collect(reader: AsyncIterator[Envelope]) -> list[Envelope]:
    return [envelope async for envelope in reader]


def test_a_whole_life_is_told_once_in_order_as_it_happens(database: Database) -> None:
    async def scenario(stage: Stage) -> None:
        reader = aiter(stage.reader())
        told = [await anext(reader)]
        lease = await stage.claim()
        told.append(await anext(reader))
        await stage.step(lease, 0.4, "picture")
        told += [await anext(reader), await anext(reader)]
        await stage.database.write(hand_back, Return(*lease, "busy", 0, True))
        told.append(await anext(reader))
        lease = await stage.claim()
        told.append(await anext(reader))
        await stage.end(lease)
        told += await collect(reader)
        assert kinds(told) == [
            "submitted",
            "started",
            "progress",
            "preview",
            "retrying",
            "started",
            "completed",
        ]
        assert [envelope.sequence for envelope in told] == [1, 2, 3, 3, 4, 5, 6]
        assert told[2].payload["progress"] == 0.4

    play(database, scenario)


def test_who_comes_back_with_a_cursor_gets_what_it_missed_and_nothing_twice(database: Database) -> None:
    async def scenario(stage: Stage) -> None:
        lease = await stage.claim()
        await stage.step(lease, 0.5)
        await stage.end(lease)
        everything = await collect(stage.reader())
        assert kinds(everything) == ["submitted", "started", "completed"]
        for cursor in range(6):
            missed = await collect(stage.reader(cursor))
            assert missed == [envelope for envelope in everything if envelope.sequence > cursor]

    play(database, scenario)


def test_who_has_seen_the_end_is_not_kept_waiting(database: Database) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.end(await stage.claim())
        for cursor in (3, 4, 10**6):
            assert await collect(stage.reader(cursor)) == []

    play(database, scenario)


def test_a_cursor_from_a_snapshot_continues_with_what_came_after_it(database: Database) -> None:
    async def scenario(stage: Stage) -> None:
        lease = await stage.claim()
        await stage.step(lease, 0.5)
        reader = asyncio.create_task(collect(stage.reader(cursor=3)))
        await stage.end(lease)
        assert kinds(await reader) == ["completed"]

    play(database, scenario)


def test_progress_that_nobody_read_in_time_is_skipped_events_are_not(database: Database) -> None:
    async def scenario(stage: Stage) -> None:
        reader = aiter(stage.reader())
        assert (await anext(reader)).sequence == 1
        lease = await stage.claim()
        for reached in range(1, 9):
            await stage.step(lease, reached / 10)
        late = [await anext(reader), await anext(reader)]
        assert [(envelope.type, envelope.sequence) for envelope in late] == [("job.started", 2), ("job.progress", 10)]
        await stage.end(lease)
        assert kinds(await collect(reader)) == ["completed"]

    play(database, scenario)


def test_a_lost_wake_up_delays_news_but_loses_none(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds_module, "ROUND_S", 0.01)

    async def scenario(stage: Stage) -> None:
        reader = asyncio.create_task(collect(stage.reader()))
        lease = await stage.claim()
        await stage.end(lease)
        assert kinds(await reader)[-1] == "completed"

    play(database, scenario, woken=False)


def test_a_quiet_while_is_told_as_none(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_module, "QUIET_S", 0.01)

    async def scenario(stage: Stage) -> None:
        reader = follow(stage.feeds, "a", 0)
        assert [await anext(reader), await anext(reader), await anext(reader)][1:] == [None, None]
        await reader.aclose()

    play(database, scenario)


def test_a_ring_without_news_is_told_at_once_so_that_a_server_can_stop(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_module, "QUIET_S", 10 * PATIENCE_S)

    async def scenario(stage: Stage) -> None:
        reader = follow(stage.feeds, "a", 0)
        assert await anext(reader) is not None
        stage.hub.wake_for_the_last_time()
        assert await anext(reader) is None
        await reader.aclose()

    play(database, scenario)


def test_two_readers_of_a_job_are_told_the_same(database: Database) -> None:
    async def scenario(stage: Stage) -> None:
        readers = [asyncio.create_task(collect(stage.reader())) for _ in range(2)]
        assert await stage.database.write(cancel, "a", "ann") == "pending"
        first, second = await asyncio.gather(*readers)
        assert first == second
        assert kinds(first) == ["submitted", "canceled"]

    play(database, scenario)


def test_a_job_that_does_not_exist_has_no_news(database: Database) -> None:
    async def scenario(stage: Stage) -> None:
        assert [envelope async for envelope in follow(stage.feeds, "nothing", 0)] == []

    play(database, scenario)
