"""A worker at work in a test: a database that runs, files in a folder, a scripted provider, and quick habits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safelight.catalog.catalog import Catalog
from safelight.catalog.model import Model, Route
from safelight.catalog.rates import Price
from safelight.events.hub import Hub
from safelight.services import calls, presence, sweep
from safelight.services.claim import claim
from safelight.services.claimable import ClaimedJob
from safelight.storage.assets import AssetStore
from safelight.store.database import Database
from safelight.store.tx import Tx
from safelight.testing.books import assert_books_balance
from safelight.testing.providers import ScriptedProvider
from safelight.worker.attempt import Attempt
from safelight.worker.bench import Bench, Pace, Rules
from safelight.worker.presence import Presence, Role
from safelight.worker.runner import Runner
from tests.integration.services.scene import (
    assets_of,
    calls_of,
    events_of,
    is_at_rest,
    job,
    set_scene,
    submitted,
    told,
)

PATIENCE_S = 30.0
QUICK = Pace(
    poll_every_s=0.005,
    look_again_s=PATIENCE_S,
    stop_grace_s=0.05,
    store_again_s=0.01,
    store_for_s=0.05,
    write_again_s=0.01,
)
DEFAULT_RULES = Rules()
MODEL = Model(
    id="fake",
    title="Fake",
    kind="image",
    queue="image",
    routes=(Route(provider="scripted", model="m-1"),),
    price=Price(per="image", credits=10),
    typical_s=1.0,
)


@dataclass
class House:
    """One worker process, without its background tasks: tests take the steps themselves."""

    bench: Bench
    provider: ScriptedProvider
    runner: Runner

    @property
    def database(self) -> Database:
        return self.bench.database

    async def submit(self, *names: str, **given: Any) -> None:
        await self.database.write(lambda tx: submitted(tx, *names, **given))

    async def claim(self, count: int = 1) -> list[ClaimedJob]:
        return await self.database.write(claim, self.bench.presence.id, ["image"], count)

    async def attempt(self, name: str = "a", **given: Any) -> Attempt:
        """A job submitted and claimed, ready to be run."""
        await self.submit(name, **given)
        (taken,) = await self.claim()
        assert taken.id == name
        return Attempt(self.bench, taken)

    async def run_again(self) -> Attempt:
        """Claim the one job that is ready, and run it."""
        (taken,) = await self.claim()
        again = Attempt(self.bench, taken)
        await again.run()
        return again

    async def look(self, name: str = "a") -> Look:
        return await self.database.read(_look, name)


@dataclass(frozen=True)
class Look:
    """A job and all that belongs to it."""

    row: Any
    calls: Sequence[Any]
    assets: Sequence[Any]
    told: Sequence[str]
    last_payload: dict[str, Any]

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.row.error)
        return found

    @property
    def call(self) -> Any:
        (only,) = self.calls
        return only

    @property
    def at_rest(self) -> bool:
        return is_at_rest(self.row)


def _look(tx: Tx, name: str) -> Look:
    row = job(tx, name)
    events = events_of(tx, row.number)
    return Look(
        row,
        calls_of(tx, row.number),
        assets_of(tx, row.number),
        told(tx, row.number),
        json.loads(events[-1].payload),
    )


async def lose_first_worker(house: House, *, remote_id: str | None, **given: Any) -> None:
    """Job `a` was claimed by `w1`, which called the provider and was lost."""
    await house.submit("a", **given)
    (taken,) = await house.database.write(claim, "w1", ["image"], 1)
    start = calls.Sending("c-1", taken.number, taken.fence, 1, "scripted", "m-1", False, "w1")
    assert await house.database.write(calls.sending, start)
    if remote_id is not None:
        assert await house.database.write(calls.accepted, calls.Accepted("c-1", remote_id))
    assert await house.database.write(presence.declare_lost, "w1", 0)
    assert await house.database.write(sweep.take_from_lost) == 1


Play = Callable[[House], Awaitable[None]]


def play(
    database: Database,
    folder: Path,
    provider: ScriptedProvider,
    scenario: Play,
    *,
    pace: Pace = QUICK,
    slots: int = 4,
    drain_s: float = 0.0,
    credits: int = 1_000,
    rules: Rules = DEFAULT_RULES,
) -> None:
    """Run a scenario in a house, within bounded time; at its end the books balance."""

    async def run() -> None:
        async with (
            asyncio.timeout(PATIENCE_S),
            opened(database, folder, provider, pace, slots, drain_s, credits, rules) as it,
        ):
            await scenario(it)

    asyncio.run(run())
    with database.transaction() as tx:
        assert_books_balance(tx)


@asynccontextmanager
async def opened(
    database: Database,
    folder: Path,
    provider: ScriptedProvider,
    pace: Pace,
    slots: int,
    drain_s: float,
    credits: int,
    rules: Rules,
) -> AsyncIterator[House]:
    hub = Hub()
    database.start()
    database.waker = hub.wake
    presence = Presence(
        database, Role("worker", ("image",), ("scripted",), slots), lease_s=30.0, nudge_address=None, busy=lambda: 0
    )
    store = AssetStore(f"file://{folder}")
    bench = Bench(
        database,
        hub,
        store,
        Catalog((MODEL,)),
        {provider.name: provider},
        presence,
        pace=pace,
        rules=rules,
        random=lambda: 1.0,
    )
    try:
        await database.write(lambda tx: set_scene(tx, credits=credits))
        await presence.register()
        yield House(bench, provider, Runner(bench, queues=("image",), slots=slots, drain_s=drain_s))
    finally:
        await database.stop()
