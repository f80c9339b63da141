"""A hundred thousand jobs behind a shut gate: what they cost the others, and how soon they are back when it opens.

Claims take turns with those of a database without them, so that what else the machine does hits both alike.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

from benchmarks import lives
from benchmarks.databases import KINDS, fresh
from benchmarks.figures import Figure
from benchmarks.seeding import WAITING, execute, seed_jobs
from safelight.services import gate_parking, presence
from safelight.services.claim import Terms, claim
from safelight.services.gate_parking import Opening, ShutGate
from safelight.services.parking import PARK_AT_ONCE
from safelight.store.connect import open_database
from safelight.store.database import Database

GATED, GATED_SHORT = 100_000, 10_000
CLAIMS = 300
BEHIND = {"model": "'gated'", "user_id": "'patient'", "vstart": "-1000000 + n"}
OPEN = Terms(models=("fake",), providers=("fake", "acme"))
SHUT = OPEN._replace(shut=(ShutGate("acme", ("gated",)),))


def measure(short: bool) -> list[Figure]:
    """On both databases."""
    return [figure for kind in KINDS for figure in _gated(kind, GATED_SHORT if short else GATED)]


def _gated(kind: str, gated: int) -> list[Figure]:
    with ExitStack() as stack:
        free, crowded = (_prepared(stack, kind) for _ in range(2))
        seed_jobs(crowded, "gated", gated, {**WAITING, **BEHIND})
        for url in (free, crowded):
            seed_jobs(url, "ready", 2 * CLAIMS, WAITING)
        plain, crowd = (stack.enter_context(_opened(url)) for url in (free, crowded))
        started = time.perf_counter()
        parking_ms = _park(crowd)
        parked_s = time.perf_counter() - started
        if kind == "Postgres":
            execute(crowded, "VACUUM ANALYZE jobs")  # as its autovacuum does within a minute
        open_ms, shut_ms = _claims(plain, crowd)
        let_in_ms = _let_in(crowd)
    return [
        Figure(f"{kind}: claim with every gate open, p50", open_ms, "ms"),
        Figure(f"  with {gated:,} jobs parked behind a shut one, times as long", shut_ms / open_ms, "", 2),
        Figure("  while these are being parked, p50", parking_ms, "ms"),
        Figure("  until all are parked", parked_s, "s"),
        Figure(f"  letting in {PARK_AT_ONCE} of them, p50", let_in_ms, "ms"),
    ]


def _prepared(stack: ExitStack, kind: str) -> str:
    url = stack.enter_context(fresh(kind))
    lives.set_scene(url)
    with _opened(url) as database, database.transaction() as tx:
        presence.register(tx, lives.worker_row())
    return url


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = open_database(url)
    yield database
    database.close()


def _park(database: Database) -> float:
    """Milliseconds of a claim that meets jobs behind the gate, the median; until one meets none."""
    took = list[float]()
    while True:
        seconds, claimed = _claim(database, SHUT)
        if claimed:
            return median(took) * 1000
        took.append(seconds)


def _claims(plain: Database, crowded: Database) -> tuple[float, float]:
    """Milliseconds of a claim of one job on each, the median."""
    rounds = [(_claim(plain, OPEN)[0], _claim(crowded, SHUT)[0]) for _ in range(CLAIMS)]
    return median(a for a, _ in rounds) * 1000, median(b for _, b in rounds) * 1000


def _let_in(database: Database) -> float:
    """Milliseconds of a slice that is let in, the median."""
    took = []
    for _ in range(20):
        with database.transaction() as tx:
            (group,) = gate_parking.parked(tx)
            started = time.perf_counter()
            moved = gate_parking.let_through(tx, [Opening(group, "acme", ("gated",), PARK_AT_ONCE)])
            took.append(time.perf_counter() - started)
        if moved != PARK_AT_ONCE:
            raise RuntimeError(f"{moved} jobs were let in.")
    return median(took) * 1000


def _claim(database: Database, terms: Terms) -> tuple[float, bool]:
    """Seconds of a claim, the commit aside, and whether it got a job."""
    with database.transaction() as tx:
        started = time.perf_counter()
        claimed = claim(tx, lives.WORKER, [lives.QUEUE], 1, terms)
        return time.perf_counter() - started, bool(claimed)
