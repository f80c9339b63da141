"""One round: servers and a worker that come and go, connections that are cut, and jobs that are watched."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from uuid import UUID

import httpx

from tests.crash.restarts.chopper import Chopper
from tests.crash.restarts.crowd import Crowd, Line, crowd
from tests.crash.restarts.story import Truth
from tests.support import slow_worker
from tests.support.server import Installation, Running, installation

SERVERS, WORKER_SLOTS, ALIVE = 2, 8, 16
WORKER_EVERY, CANCELED, TEXTS = 8, 0.1, 0.3
TOLD_WITHIN_S = 90.0
SCALED = {"lease_seconds": 3, "sweep_seconds": 0.5, "drain_seconds": 1, "worker_concurrency": WORKER_SLOTS}
EVENTS = "SELECT j.id, e.sequence, e.type FROM events e JOIN jobs j ON j.number = e.job ORDER BY 1, 2"
WORKER = str(Path(slow_worker.__file__))


@dataclass(frozen=True, slots=True)
class Played:
    """What a round came to."""

    kind: str
    jobs: int
    restarts: int
    cuts: int
    took_s: float
    lines: dict[str, Line]
    complaints: list[str]


async def play(kind: str, folder: Path, jobs: int, restarts: int, seed: int, **settings: object) -> Played:
    """So many jobs during so many restarts of a server, with cut connections between them."""
    began, dice = time.monotonic(), Random(seed)  # noqa: S311 - dice
    with installation(folder, **SCALED, **settings) as made:
        async with _house(made, dice) as house, crowd(house.chopper.url, dice) as watchers:
            submitting = asyncio.create_task(_submit(house, watchers, jobs, restarts))
            while house.restarts < restarts:
                await house.disturb()
            await submitting
            await _until_told(watchers)
            truths = await asyncio.to_thread(_truths, made)
            lines, complaints = watchers.verdict(truths)
            if len(truths) != jobs:
                complaints.append(f"{len(truths)} jobs are there, not {jobs}")
    return Played(kind, jobs, house.restarts, house.chopper.cuts, time.monotonic() - began, lines, complaints)


class House:
    """Servers without workers behind the chopper, and a worker."""

    def __init__(self, made: Installation, chopper: Chopper, dice: Random) -> None:
        self.made, self.chopper, self.dice = made, chopper, dice
        self.servers: list[Running] = []
        self.worker: Running | None = None
        self.restarts = 0

    async def start(self) -> None:
        for _ in range(SERVERS):
            self.servers.append(await self._serve())
        self.worker = await asyncio.to_thread(self.made.worker, program=WORKER)

    async def disturb(self) -> None:
        """A server ends, well or not, while connections are cut; now and then the worker too. New ones take over."""
        place = self.dice.randrange(SERVERS)
        server = self.servers[place]
        self.chopper.servers.remove(self._url(server))
        self.chopper.chop(self.dice.random() * 0.7)
        await asyncio.to_thread(server.kill if self.dice.random() < 0.5 else server.drain)
        self.servers[place] = await self._serve()
        self.restarts += 1
        self.chopper.chop(self.dice.random() * 0.7)
        if self.restarts % WORKER_EVERY == 0:
            await self._change_worker()

    async def _serve(self) -> Running:
        server = await asyncio.to_thread(self.made.serve, "--no-worker")
        self.chopper.servers.append(self._url(server))
        return server

    async def _change_worker(self) -> None:
        assert self.worker is not None
        await asyncio.to_thread(self.worker.kill if self.dice.random() < 0.5 else self.worker.drain)
        self.worker = await asyncio.to_thread(self.made.worker, program=WORKER)

    @staticmethod
    def _url(server: Running) -> str:
        url: str = server.said("server.ready")[0]["url"]
        return url


@asynccontextmanager
async def _house(made: Installation, dice: Random) -> AsyncIterator[House]:
    chopper = Chopper(dice)
    await chopper.open()
    house = House(made, chopper, dice)
    await house.start()
    try:
        yield house
    finally:
        await chopper.close()


async def _submit(house: House, watchers: Crowd, jobs: int, restarts: int) -> None:
    """So many over all restarts, through the same cut connections; some are canceled on the way."""
    async with httpx.AsyncClient(trust_env=False, base_url=house.chopper.url, timeout=20) as http:
        for number in range(jobs):
            while house.restarts < (number - ALIVE) / jobs * restarts:  # noqa: ASYNC110 - nobody is in a hurry
                await asyncio.sleep(0.05)
            kind = "text" if house.dice.random() < TEXTS else "image"
            key = str(UUID(int=house.dice.getrandbits(128)))
            body = {"kind": kind, "model": f"procedural{'-text' if kind == 'text' else ''}", "prompt": f"no. {number}"}
            job_id = json.loads(await _until_answered(http, "/api/jobs", key, body))["id"]
            await watchers.watch(job_id, number)
            if house.dice.random() < CANCELED:
                await asyncio.sleep(house.dice.random())
                await _until_answered(http, f"/api/jobs/{job_id}/cancel", "", None)


async def _until_answered(http: httpx.AsyncClient, path: str, key: str, body: object) -> str:
    """Ask until the answer is whole: a key makes that safe."""
    while True:
        with suppress(httpx.TransportError):
            answer = await http.post(path, json=body, headers={"Idempotency-Key": key} if key else {})
            if answer.is_success:
                return answer.text
            assert answer.status_code >= 500, answer.text
        await asyncio.sleep(0.1)


async def _until_told(watchers: Crowd) -> None:
    """Until everybody has heard the end of everything, or the time is over: then the verdict says who has not."""
    with suppress(TimeoutError):
        async with asyncio.timeout(TOLD_WITHIN_S):
            while watchers.waiting:  # noqa: ASYNC110 - nobody is in a hurry
                await asyncio.sleep(0.1)


def _truths(made: Installation) -> dict[str, Truth]:
    events: dict[str, list[tuple[int, str]]] = {}
    query = (
        "SELECT j.id, e.sequence, e.type FROM events e JOIN jobs j ON j.number = e.job ORDER BY j.number, e.sequence"
    )
    for row in made.rows(query):
        events.setdefault(row["id"], []).append((row["sequence"], row["type"]))
    return {job_id: Truth(tuple(told), made.job(job_id)) for job_id, told in events.items()}
