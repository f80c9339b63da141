"""Beats beside a flood: two processes write all they can into one SQLite file; everybody's beat must get through."""

from __future__ import annotations

import asyncio
import time

from benchmarks import lives
from benchmarks.apart import processes
from benchmarks.databases import fresh
from benchmarks.figures import Figure, percentile
from safelight.services import presence
from safelight.services.presence import Beat
from safelight.store.database import Database

FLOOD_S, FLOOD_SHORT_S = 20.0, 4.0
BEAT_EVERY_S = 0.1
LIVES_AT_A_TIME = 500


def measure(short: bool) -> list[Figure]:
    """Of the two that flood, and of a third that does nothing else."""
    flood_s = FLOOD_SHORT_S if short else FLOOD_S
    with fresh("SQLite") as url, processes(3) as apart:
        lives.set_scene(url)
        flooding = [apart.start(flood_and_beat, url, f"flood-{n}", flood_s) for n in range(2)]
        quiet_s = apart.run(only_beat, url, flood_s)
        done = [process.result() for process in flooding]
        lost = lives.audited(url, sum(count for count, _ in done))
    flooding_s = [took_s for _, beats in done for took_s in beats]
    return [
        Figure("SQLite, two processes flooding: lives of both", sum(count for count, _ in done) / flood_s, "/s"),
        Figure("  a beat of theirs, p99", percentile(flooding_s, 0.99) * 1000, "ms", 250),
        Figure("  a beat of a third process, p50", percentile(quiet_s, 0.5) * 1000, "ms"),
        Figure("  a beat of a third process, p99", percentile(quiet_s, 0.99) * 1000, "ms", 250),
        Figure("  jobs lost or books wrong", lost, "", 0),
    ]


async def flood_and_beat(url: str, name: str, for_s: float) -> tuple[int, list[float]]:
    """How many lives were lived, and how long each beat took."""
    async with lives.at_work(url) as (database, hub, _):
        await database.write(presence.register, lives.worker_row(name))
        beating = asyncio.create_task(_beat(database, name, for_s))
        count = 0
        while not beating.done():
            async with asyncio.TaskGroup() as both:
                both.create_task(lives.submit_all(database, LIVES_AT_A_TIME))
                both.create_task(lives.work_off(database, hub, LIVES_AT_A_TIME, worker=name))
            count += LIVES_AT_A_TIME
        return count, await beating


async def only_beat(url: str, for_s: float) -> list[float]:
    """How long each beat took."""
    async with lives.at_work(url) as (database, _, _):
        await database.write(presence.register, lives.worker_row("quiet"))
        return await _beat(database, "quiet", for_s)


async def _beat(database: Database, name: str, for_s: float) -> list[float]:
    took_s = []
    ends = time.perf_counter() + for_s
    while (started := time.perf_counter()) < ends:
        if not await database.write_first(presence.beat, Beat(name, 0, False, 0.0, 0, 0)):
            raise RuntimeError(f"{name} was declared lost.")
        took_s.append(time.perf_counter() - started)
        await asyncio.sleep(BEAT_EVERY_S)
    return took_s
