"""A thousand predictions in flight at a provider that must be asked: one worker polls them all, in time and politely.

The provider is the stand-in for Replicate in a process of its own, and the gaps are those that it sees.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from itertools import pairwise
from typing import ClassVar, NamedTuple

import httpx
import sqlalchemy as sa

from benchmarks import lives
from benchmarks.apart import processes
from benchmarks.databases import fresh
from benchmarks.figures import Figure, percentile
from benchmarks.life import submit_before
from safelight.adapters import Adapters
from safelight.app import Safelight
from safelight.catalog.catalog import Catalog
from safelight.catalog.model import Model, Route
from safelight.catalog.rates import Price
from safelight.providers.replicate.provider import ReplicateProvider
from safelight.settings import Settings
from safelight.storage.assets import AssetStore
from safelight.store import tables
from safelight.store.connect import open_database
from safelight.store.database import Database
from safelight.store.statements import Query
from safelight.store.tx import Tx
from safelight.testing.mishaps import RETRY_AFTER_S, Mishap
from safelight.testing.paid_stand_in import Work
from safelight.testing.stand_in_replicate import StandInReplicate
from safelight.testing.throwaway import free_port
from safelight.testing.tiny_http import Outcome, Request, listen

IN_FLIGHT, IN_FLIGHT_SHORT = 1_000, 100
WATCHED_S, WATCHED_SHORT_S = 30.0, 10.0
PUT_OFF_EVERY = 20
"""Every so many predictions are answered 429 once."""
LOOK_EVERY_S = 0.1
SLUG = "black-forest-labs/flux-schnell"
CATALOG = Catalog(
    (
        Model(
            id=lives.MODEL,
            title="Replicate",
            kind="image",
            queue=lives.QUEUE,
            routes=(Route(provider=ReplicateProvider.name, model=SLUG),),
            price=Price(per="image", credits=lives.PRICE),
            typical_s=1.0,
        ),
    )
)


class Seen(NamedTuple):
    """What the provider saw: paid requests, questions, seconds between two about one prediction."""

    posts: int
    polls: int
    gaps_s: list[float]
    after_put_off_s: list[float]


class Polled(NamedTuple):
    """Seconds of wall time and of the worker's processor time."""

    took_s: float
    cpu_s: float


def measure(short: bool) -> list[Figure]:
    """On SQLite, the default of one machine."""
    count = IN_FLIGHT_SHORT if short else IN_FLIGHT
    with fresh("SQLite") as url, processes(2) as apart:
        lives.set_scene(url)
        port = free_port()
        watching = apart.start(provide, port)
        apart.run(submit_before, url, count)
        polled = apart.run(poll_all, url, f"http://127.0.0.1:{port}", count, WATCHED_SHORT_S if short else WATCHED_S)
        httpx.post(f"http://127.0.0.1:{port}/stop", trust_env=False)
        seen = watching.result(60)
    return [
        Figure(f"{count:,} predictions polled by one worker", polled.took_s, "s"),
        Figure("  polls", len(seen.gaps_s) / polled.took_s, "/s"),
        Figure("  processor time of the worker, of one core", polled.cpu_s / polled.took_s * 100, "%", 100),
        Figure("  from one poll of a prediction to the next, p50", percentile(seen.gaps_s, 0.5), "s"),
        Figure("  the longest", max(seen.gaps_s), "s", 2),
        Figure(
            f"  after 429 and Retry-After: {RETRY_AFTER_S}, the soonest poll",
            min(seen.after_put_off_s, default=0.0),
            "s",
            at_least=RETRY_AFTER_S,
        ),
        Figure("  paid requests beyond one for each", seen.posts - count, "", 0),
    ]


async def provide(port: int) -> Seen:
    """Play Replicate, whose predictions never end, until told to stop; what was seen while all were in flight."""
    provider = Endless()
    server = await listen(provider.handle, port)
    await provider.stopped.wait()
    server.close()
    return provider.seen()


class Endless(StandInReplicate):
    """Remembers when it was asked for what."""

    price_usd: ClassVar[float] = 0.003

    def __init__(self) -> None:
        super().__init__()
        self.stopped = asyncio.Event()
        self._asked: defaultdict[str, list[float]] = defaultdict(list)
        self._put_off: dict[str, float] = {}
        self._complete_at = 0.0

    async def route(self, request: Request) -> Outcome:
        if request.path == "/stop":
            self.stopped.set()
        if request.method == "GET":
            remote_id = request.path.rpartition("/")[2]
            if self._is_to_be_put_off(remote_id):
                self._put_off[remote_id] = time.perf_counter()
                return self.refusal(Mishap.BUSY, request)
            self._asked[remote_id].append(time.perf_counter())
        return await super().route(request)

    def seen(self) -> Seen:
        """Gaps from the moment on when the last prediction was accepted."""
        gaps_s, after_s = [], []
        for remote_id, asked in self._asked.items():
            put_off = self._put_off.get(remote_id)
            if put_off is not None:
                after_s += [at - put_off for at in asked if at > put_off][:1]
            gaps_s += [
                later - earlier
                for earlier, later in pairwise(asked)
                if earlier > self._complete_at and (put_off is None or not earlier <= put_off <= later)
            ]
        return Seen(len(self.posts), sum(map(len, self._asked.values())), gaps_s, after_s)

    def _bill(self, work: Work) -> None:
        work.seconds = 86_400.0
        self._complete_at = time.perf_counter()
        super()._bill(work)

    def _is_to_be_put_off(self, remote_id: str) -> bool:
        """Once each, after a while: its polls have settled at their longest pause."""
        return (
            remote_id in self.works
            and int(remote_id.rpartition("-")[2]) % PUT_OFF_EVERY == 0
            and remote_id not in self._put_off
            and len(self._asked[remote_id]) > 3
        )


async def poll_all(url: str, provider_url: str, count: int, watched_s: float) -> Polled:
    """Run a worker; once all its calls are accepted, measure it for a while, and let it hand them back."""
    database = open_database(url)
    database.start()
    provider = ReplicateProvider("r8_benchmark", provider_url)
    store, offered = AssetStore("memory:///"), Adapters({provider.name: provider}, {}, {})
    safelight = Safelight(Settings(), database, CATALOG, store, "a secret of the benchmark", offered)
    process = await safelight.start_process(safelight.role("worker", slots=count))
    await _all_accepted(database, count)
    started, cpu_s = time.perf_counter(), time.process_time()
    await asyncio.sleep(watched_s)
    polled = Polled(time.perf_counter() - started, time.process_time() - cpu_s)
    await process.drain()
    await process.stop()
    await safelight.close()
    return polled


class _Count(NamedTuple):
    n: int


_ACCEPTED = Query(sa.select(sa.func.count().label("n")).where(tables.calls.c.state == "accepted"), _Count)


def _accepted(tx: Tx) -> int:
    found = tx.one(_ACCEPTED)
    return found.n if found else 0


async def _all_accepted(database: Database, count: int) -> None:
    while True:
        if await database.read(_accepted) >= count:
            return
        await asyncio.sleep(LOOK_EVERY_S)
