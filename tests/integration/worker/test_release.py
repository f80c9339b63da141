"""A worker of a release that is no longer wanted does not start; one that runs drains and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from safelight import __version__
from safelight.domain.errors import SafelightError, WorkerTooOld
from safelight.services.required_version import require_version
from safelight.store.database import Database
from safelight.worker.release import refuse_if_too_old, until_too_old


def play(database: Database, scenario: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        database.start()
        try:
            async with asyncio.timeout(30):
                await scenario()
        finally:
            await database.stop()

    asyncio.run(run())


def test_a_worker_may_start_unless_a_later_release_is_required(database: Database) -> None:
    async def scenario() -> None:
        await refuse_if_too_old(database)
        await database.write(require_version, __version__)
        await refuse_if_too_old(database)
        await database.write(require_version, "999.0")
        with pytest.raises(WorkerTooOld, match=r"999\.0") as refused:
            await refuse_if_too_old(database)
        assert refused.value.remedy.command == "safelight workers require 0"

    play(database, scenario)


def test_a_running_worker_hears_of_it_even_if_the_database_was_away_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        read, looks = database.read, iter(range(100))
        looked = asyncio.Event()

        async def away_at_first(*args: object) -> object:
            if (n := next(looks)) < 2:
                raise OSError("away")
            if n == 3:
                looked.set()
            return await read(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(database, "read", away_at_first)
        waiting = asyncio.create_task(until_too_old(database, 0.001))
        await looked.wait()
        assert not waiting.done()
        await database.write(require_version, "999.0")
        assert isinstance(await waiting, SafelightError)

    play(database, scenario)
