"""How many whole lives a second: in one process, with API and worker apart, and with everything a worker does."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks import lives
from benchmarks.apart import processes
from benchmarks.databases import KINDS, fresh
from benchmarks.figures import Figure, medians
from benchmarks.worker import work_off_with_attempts
from safelight.services.presence import addresses
from safelight.services.presence import processes as rows
from safelight.store.database import Database

WARM_UP = 500


@dataclass(frozen=True, slots=True)
class Amounts:
    """Lives per run, and runs; the figure is their median."""

    lives: int = 10_000
    rounds: int = 3


SHORT, FULL = Amounts(1_000, 1), Amounts()
GOALS = {"SQLite": 3_000.0, "Postgres": 1_500.0}


class Run(NamedTuple):
    """Seconds of wall time, and of processor time of the process that measured."""

    took_s: float
    cpu_s: float


def measure(short: bool) -> list[Figure]:
    """On both databases; every run on a fresh one, its books audited."""
    amounts = SHORT if short else FULL
    return [
        figure
        for kind in KINDS
        for part in (_one_process, _apart, _attempts)
        for figure in medians([part(kind, amounts.lives) for _ in range(amounts.rounds)])
    ]


def _one_process(kind: str, count: int) -> list[Figure]:
    with fresh(kind) as url, processes() as apart:
        lives.set_scene(url)
        run = apart.run(submit_and_work, url, count)
        lost = lives.audited(url, WARM_UP + count)
    return [
        Figure(f"{kind}: whole lives, one process", count / run.took_s, "/s", at_least=GOALS[kind]),
        Figure("  processor time of each", run.cpu_s / count * 1e6, "µs"),
        Figure("  jobs lost or books wrong", lost, "", 0),
    ]


def _apart(kind: str, count: int) -> list[Figure]:
    with fresh(kind) as url, processes(2) as apart:
        lives.set_scene(url)
        worker = apart.start(only_work, url, count)
        api = apart.run(only_submit, url, count)
        took_s = worker.result(600).took_s
        lost = lives.audited(url, count)
    return [
        Figure(f"{kind}: the same, API and worker apart", count / took_s, "/s"),
        Figure("  of these, submits alone", count / api.took_s, "/s"),
        Figure("  jobs lost or books wrong", lost, "", 0),
    ]


def _attempts(kind: str, count: int) -> list[Figure]:
    count //= 4  # each also makes a picture's thumbnail and its papers
    with fresh(kind) as url, processes() as apart:
        lives.set_scene(url)
        apart.run(submit_before, url, count)
        run = apart.run(work_off_with_attempts, url, lives.SLOTS, 0.0)
        lost = lives.audited(url, count)
    return [
        Figure(f"{kind}: claim to end with attempts and pictures", count / run.took_s, "/s"),
        Figure("  processor time of each", run.cpu_s / count * 1e6, "µs"),
        Figure("  jobs lost or books wrong", lost, "", 0),
    ]


async def submit_and_work(url: str, count: int) -> Run:
    """API and worker in one process."""
    async with lives.at_work(url) as (database, hub, _):
        await lives.hire(database)
        for some in (WARM_UP, count):
            started, cpu_s = time.perf_counter(), time.process_time()
            async with asyncio.TaskGroup() as both:
                both.create_task(lives.submit_all(database, some))
                both.create_task(lives.work_off(database, hub, some))
        return Run(time.perf_counter() - started, time.process_time() - cpu_s)


async def only_work(url: str, count: int) -> Run:
    """From the first claim that brought something on."""
    async with lives.at_work(url) as (database, hub, nudges):
        await nudges.open()
        await lives.hire(database, nudges.address)
        with hub.waiting(f"queue:{lives.QUEUE}") as waiter:
            while not await waiter.wait(lives.LOOK_AGAIN_S):
                continue
        started, cpu_s = time.perf_counter(), time.process_time()
        await lives.work_off(database, hub, count)
        return Run(time.perf_counter() - started, time.process_time() - cpu_s)


async def only_submit(url: str, count: int) -> Run:
    """Once the worker is there to be nudged."""
    async with lives.at_work(url) as (database, _, nudges):
        await nudges.open()
        nudges.set_peers(await _addresses(database))
        started, cpu_s = time.perf_counter(), time.process_time()
        await lives.submit_all(database, count)
        return Run(time.perf_counter() - started, time.process_time() - cpu_s)


async def _addresses(database: Database) -> list[str]:
    while True:
        if found := addresses(await database.read(rows), host="host", boot_id="boot"):
            return found
        await asyncio.sleep(lives.LOOK_AT_ONCE_S)


async def submit_before(url: str, count: int) -> None:
    """So that a worker that starts later finds them."""
    async with lives.at_work(url) as (database, _, _):
        await lives.submit_all(database, count)
