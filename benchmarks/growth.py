"""Whether a claim takes longer the more there is: a million ended jobs, a hundred thousand that a cap holds back.

Ratios of medians, each from claims that took turns on both databases: what else the machine does hits both alike.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median

from benchmarks import lives
from benchmarks.databases import KINDS, fresh
from benchmarks.figures import Figure
from benchmarks.seeding import ENDED, WAITING, seed_jobs
from safelight.services import presence
from safelight.services.caps import Caps
from safelight.services.claim import Terms, claim
from safelight.store.connect import open_database
from safelight.store.database import Database

FEW = 1_000
MANY, MANY_SHORT = 1_000_000, 100_000
CAPPED, CAPPED_SHORT = 100_000, 10_000
CLAIMS = 300
CAP = 2
GREEDY = {"user_id": "'greedy'", "vstart": "-1000000 + n"}


def measure(short: bool) -> list[Figure]:
    """On both databases."""
    many, capped = (MANY_SHORT, CAPPED_SHORT) if short else (MANY, CAPPED)
    return [figure for kind in KINDS for figure in _grow(kind, many, capped)]


def _grow(kind: str, many: int, capped: int) -> list[Figure]:
    with ExitStack() as stack:
        small, large, crowded = (_prepared(stack, kind) for _ in range(3))
        seed_jobs(small, "ended", FEW, ENDED)
        seed_jobs(large, "ended", many, ENDED)
        seed_jobs(crowded, "ended", FEW, ENDED)
        running = {**GREEDY, "status": "'processing'", "stage": "'running'", "ready": "FALSE", "worker_id": "'other'"}
        seed_jobs(crowded, "running", CAP, running)
        seed_jobs(crowded, "capped", capped, {**WAITING, **GREEDY})
        for url in (small, large, crowded):
            seed_jobs(url, "ready", 2 * CLAIMS, WAITING)
        few, a_lot = _claims([small, large], Terms())
        parking_ms = _park(crowded)
        free, held_back = _claims([small, crowded], Terms(caps=Caps(CAP)))
    return [
        Figure(f"{kind}: claim with {FEW:,} ended jobs, p50", few, "ms"),
        Figure(f"  with {many:,}, times as long", a_lot / few, "", 1.3),
        Figure(f"  with {capped:,} jobs of a capped user in front, times as long", held_back / free, "", 2),
        Figure("  while these are being parked, p50", parking_ms, "ms"),
    ]


def _prepared(stack: ExitStack, kind: str) -> str:
    url = stack.enter_context(fresh(kind))
    lives.set_scene(url)
    database = open_database(url)
    with database.transaction() as tx:
        presence.register(tx, lives.worker_row())
    database.close()
    return url


def _claims(urls: Sequence[str], terms: Terms) -> list[float]:
    """Milliseconds of a claim of one job on each database, the median."""
    databases = [open_database(url) for url in urls]
    for database in databases:
        _claim(database, terms)
    rounds = [[_claim(database, terms) for database in databases] for _ in range(CLAIMS // 2)]
    for database in databases:
        database.close()
    return [median(took) * 1000 for took in zip(*rounds, strict=True)]


def _park(url: str) -> float:
    """Milliseconds of a claim that meets capped jobs and parks some, the median; until they are all parked."""
    database, took = open_database(url), []
    with database.transaction() as tx:
        ready = tx.all(lives.READY_OF_USER, owner="greedy")[0].n
    while ready:
        took.append(_claim(database, Terms(caps=Caps(CAP))))
        with database.transaction() as tx:
            ready = tx.all(lives.READY_OF_USER, owner="greedy")[0].n
    database.close()
    return median(took) * 1000


def _claim(database: Database, terms: Terms) -> float:
    """Seconds until a job was claimed, the commit aside: how long the disk takes is not a matter of growth."""
    with database.transaction() as tx:
        started = time.perf_counter()
        claimed = claim(tx, lives.WORKER, [lives.QUEUE], 1, terms)
        took_s = time.perf_counter() - started
    if len(claimed) > 1:
        raise RuntimeError("One job was asked for.")
    return took_s
