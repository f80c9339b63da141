"""A worker as it really runs, put together as `safelight worker` does: with attempts, beats and sweeps.

Only its provider, which answers in this very process, and its storage, which is memory, are stand-ins.
"""

from __future__ import annotations

import asyncio
import resource
import time
from typing import NamedTuple

from benchmarks import lives
from safelight.adapters import Adapters
from safelight.app import Safelight
from safelight.catalog.catalog import Catalog
from safelight.catalog.model import Model, Route
from safelight.catalog.rates import Price
from safelight.domain.outcomes import RemoteState
from safelight.providers.protocol import Generation, Report
from safelight.settings import Settings
from safelight.storage.assets import AssetStore
from safelight.store.connect import open_database
from safelight.store.database import Database
from safelight.testing.providers import ScriptedProvider, done

LOOK_EVERY_S = 0.1
CATALOG = Catalog(
    (
        Model(
            id=lives.MODEL,
            title="Fake",
            kind="image",
            queue=lives.QUEUE,
            routes=(Route(provider=lives.PROVIDER, model="m-1"),),
            price=Price(per="image", credits=lives.PRICE),
            typical_s=1.0,
        ),
    )
)


class Worked(NamedTuple):
    """Seconds of wall time and of processor time, and the most memory the process ever held."""

    took_s: float
    cpu_s: float
    peak_bytes: int


class SlowProvider(ScriptedProvider):
    """Answers every call with a tiny picture, after a while. It keeps nothing."""

    def __init__(self, answers_after_s: float) -> None:
        super().__init__(name=lives.PROVIDER, repeatable=False)
        self._answers_after_s = answers_after_s

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        await asyncio.sleep(self._answers_after_s)
        return done()


async def work_off_with_attempts(url: str, slots: int, answers_after_s: float) -> Worked:
    """Run a worker until no job is left."""
    return await work_off_with(url, slots, SlowProvider(answers_after_s))


async def work_off_with(url: str, slots: int, provider: ScriptedProvider) -> Worked:
    """The same with a provider of the caller's, by the name of `lives.PROVIDER`."""
    database = open_database(url)
    database.start()
    safelight = Safelight(
        Settings(),
        database,
        CATALOG,
        AssetStore("memory:///"),
        "a secret of the benchmark",
        Adapters({provider.name: provider}, {}, {}),
    )
    started, cpu_s = time.perf_counter(), time.process_time()
    process = await safelight.start_process(safelight.role("worker", slots=slots))
    await _no_job_is_left(database)
    worked = Worked(time.perf_counter() - started, time.process_time() - cpu_s, _peak_bytes())
    await process.drain()
    await process.stop()
    await safelight.close()
    return worked


async def _no_job_is_left(database: Database) -> None:
    while True:
        if not await database.read(lives.live_jobs):
            return
        await asyncio.sleep(LOOK_EVERY_S)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
