"""Which jobs a user has: watchers of one user share their looks, and none misses a job because others were quicker."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

from safelight.domain.jobs import Status
from safelight.events import own_jobs as module
from safelight.events.own_jobs import Look, OwnJobs
from safelight.services.claim import claim
from safelight.services.finish import Ending, finish
from safelight.store.database import Database
from tests.integration.services.scene import set_scene, submitted

PATIENCE_S = 30.0


async def whole_life(database: Database, name: str) -> None:
    await database.write(submitted, name)
    (job,) = await database.write(claim, "w1", ["image"], 1)
    assert await database.write(finish, Ending(job.number, job.fence, Status.COMPLETED))


def names(look: Look) -> list[str]:
    return [job.id for job in look.found]


def test_a_watcher_that_was_away_is_told_of_a_job_that_came_and_went_while_others_looked_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "OVERLAP_S", 0.0)
    monkeypatch.setattr(module, "OUT_OF_STEP_S", 0.0)

    async def scenario() -> None:
        await database.write(set_scene)
        own = OwnJobs(database, "ann")
        quick = slow = await own.beginning()
        quick = await own.after(quick)
        await whole_life(database, "a")
        for expected in (["a"], [], []):
            quick = await own.after(quick)
            assert names(quick) == expected
        assert names(await own.after(slow)) == ["a"]

    play(database, scenario())


def test_watchers_in_step_share_their_looks(database: Database) -> None:
    async def scenario() -> None:
        await database.write(set_scene)
        own = OwnJobs(database, "ann")
        first = await own.beginning()
        looks = await asyncio.gather(*(own.after(first) for _ in range(10)))
        assert all(look is looks[0] for look in looks)

    play(database, scenario())


def play(database: Database, scenario: Coroutine[None, None, None]) -> None:
    async def run() -> None:
        database.start()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await scenario
        finally:
            await database.stop()

    asyncio.run(run())
