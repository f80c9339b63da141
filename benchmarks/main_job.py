"""The main job, measured from outside: one at a time, under steady load, many at once, and through a kill -9."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks import jobs
from benchmarks.figures import Figure, medians, percentile
from benchmarks.server import Server, running


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much to do; the short form is for CI."""

    single: int = 100
    steady_s: float = 10.0
    rounds: int = 5
    burst: int = 300
    killed: int = 20


SHORT = Amounts(single=8, steady_s=2.0, rounds=1, burst=20, killed=5)
FULL = Amounts()
STEADY_PER_SECOND = 20
FSYNCS = 200
BURST_WITHIN_S = 600


def measure(short: bool) -> list[Figure]:
    """Everything, each part on a fresh server."""
    amounts = SHORT if short else FULL
    figures = start_up()
    for part in (one_at_a_time, steady):
        with _folder() as folder, running(folder) as server:
            figures += medians([disk(folder) + asyncio.run(part(server, amounts)) for _ in range(amounts.rounds)])
    for part in (burst, killed):
        with _folder() as folder, running(folder) as server:
            figures += asyncio.run(part(server, amounts))
    return figures


def disk(folder: Path) -> list[Figure]:
    """What one small fsync costs here and now: nothing that must be durable can be quicker, and shared disks stall."""
    took = []
    with (folder / "probe").open("wb", buffering=0) as file:
        for _ in range(FSYNCS):
            started = time.perf_counter()
            file.write(bytes(8192))
            os.fsync(file.fileno())
            took.append((time.perf_counter() - started) * 1000)
            time.sleep(0.01)
    return [Figure("  one fsync of 8 KiB just before, p99", percentile(took, 0.99), "ms")]


def start_up() -> list[Figure]:
    """How soon `serve` answers that it is ready: on a new folder, and on one that is there."""
    with _folder() as folder:
        server = Server(folder)
        first = server.start()
        server.stop()
        again = server.start()
        server.stop()
    return [Figure("serve ready, new database", first, "s"), Figure("serve ready", again, "s", 2.0)]


async def one_at_a_time(server: Server, amounts: Amounts) -> list[Figure]:
    """From submit to the stored 512x512 picture, with nobody else about."""
    whole, picked_up = [], []
    async with jobs.client(server.url) as http:
        await jobs.ended(http, (await jobs.submit(http, 0))[0])
        for n in range(amounts.single):
            body = await jobs.ended(http, (await jobs.submit(http, n))[0])
            whole.append(jobs.seconds_between(body, "created_at", "finished_at"))
            picked_up.append(jobs.seconds_between(body, "created_at", "started_at"))
    return [
        Figure("submit to stored picture, p50", percentile(whole, 0.5), "s", 0.5),
        Figure("submit to picked up, p50", percentile(picked_up, 0.5) * 1000, "ms"),
        Figure("submit to picked up, p99", percentile(picked_up, 0.99) * 1000, "ms", 20),
    ]


async def steady(server: Server, amounts: Amounts) -> list[Figure]:
    """Submits at 20/s while pictures are being drawn."""
    async with jobs.client(server.url) as http:
        await jobs.ended(http, (await jobs.submit(http, 0))[0])
        tasks = []
        for n in range(int(amounts.steady_s * STEADY_PER_SECOND)):
            tasks.append(asyncio.create_task(jobs.submit(http, n)))
            await asyncio.sleep(1 / STEADY_PER_SECOND)
        took = [(await task)[1] * 1000 for task in tasks]
        await _cancel_waiting(http)
    return [
        Figure("submit answers at 20/s while drawing, p50", percentile(took, 0.5), "ms"),
        Figure("submit answers at 20/s while drawing, p99", percentile(took, 0.99), "ms", 50),
    ]


async def burst(server: Server, amounts: Amounts) -> list[Figure]:
    """Many jobs at once: all complete, and looking at them stays quick."""
    async with jobs.client(server.url) as http:
        submitted = await asyncio.gather(*(jobs.submit(http, n) for n in range(amounts.burst)))
        ids = [job for job, _ in submitted]
        looks: list[float] = []
        open_ids = list(ids)
        async with asyncio.timeout(BURST_WITHIN_S):
            while open_ids:
                body, took = await jobs.look(http, open_ids[-1])
                looks.append(took * 1000)
                if body["status"] in jobs.ENDED:
                    open_ids.pop()
                await asyncio.sleep(0.02)
        found = await jobs.all_jobs(http)
    done = [body for body in found if body["status"] == "completed"]
    return [
        Figure(f"{amounts.burst} jobs at once: not completed", len(ids) - len(done), "jobs", 0),
        Figure("GET a job meanwhile, p50", percentile(looks, 0.5), "ms"),
        Figure("GET a job meanwhile, p99", percentile(looks, 0.99), "ms", 100),
    ]


async def killed(server: Server, amounts: Amounts) -> list[Figure]:
    """Kill -9 in the middle; after a restart every job completes, each with one picture."""
    async with jobs.client(server.url) as http:
        submitted = await asyncio.gather(*(jobs.submit(http, n) for n in range(amounts.killed)))
        await jobs.ended(http, submitted[amounts.killed // 4][0])
    server.kill()
    server.start()
    async with jobs.client(server.url) as http:
        for job, _ in submitted:
            await jobs.ended(http, job)
        found = await jobs.all_jobs(http)
        balance = [body["credits"] for body in found]
    whole = [body for body in found if body["status"] == "completed" and len(body["assets"]) == 1]
    assets = [asset["id"] for body in found for asset in body["assets"]]
    return [
        Figure(f"kill -9 amid {amounts.killed} jobs: not completed once", amounts.killed - len(whole), "jobs", 0),
        Figure("kill -9: pictures too many", len(assets) - len(submitted), "pictures", 0),
        Figure("kill -9: credits still held", sum(credit["held"] for credit in balance), "credits", 0),
    ]


async def _cancel_waiting(http: httpx.AsyncClient) -> None:
    for body in await jobs.all_jobs(http):
        if body["status"] not in jobs.ENDED:
            await http.post(f"/api/jobs/{body['id']}/cancel")


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="safelight-bench-") as name:
        yield Path(name)
