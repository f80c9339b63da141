"""What is counted when jobs end: how many, how long they ran, what was paid, and what went wrong."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import Status
from safelight.services import counters
from safelight.services.counters import labelled
from safelight.services.moves import MovedRow
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

JOBS: Final = "jobs_total"
DURATION: Final = "job_duration_seconds"
DURATION_SUM: Final = "job_duration_seconds_sum"
ERRORS: Final = "job_errors_total"
CREDITS: Final = "credits_used_total"
BOUNDS_S: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0)
BOUNDS: Final = (*map(str, BOUNDS_S), "+Inf")
"""The same as Prometheus writes them, and the last one."""
NOWHERE: Final = "none"
"""The provider of a job that never called one."""


class _Called(NamedTuple):
    number: int
    job: int
    provider: str


_CALLED = Query(
    sa.select(tables.calls.c.number, tables.calls.c.job, tables.calls.c.provider).where(
        tables.calls.c.job.in_(sa.bindparam("numbers", expanding=True))
    ),
    _Called,
)
"""In no order: asked for one, Postgres may walk through all calls there are."""


def count(tx: Tx, ended: Sequence[MovedRow], known: Mapping[int, str]) -> None:
    """Count jobs that have just ended. A batch is counted beside its items.

    `known` has the provider of those whose call ended with them, by number; those of the others are looked up.
    """
    called = {**_providers(tx, [row for row in ended if row.number not in known]), **known}
    now = tx.now
    jobs, paid, took = Counter[tuple[str, ...]](), Counter[tuple[str, ...]](), defaultdict[str, float](float)
    errors, within = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    for row in ended:
        provider = called.get(row.number, NOWHERE)
        jobs[row.kind, row.status, provider] += 1
        if row.captured:
            paid[row.kind, provider] += row.captured
        if row.status == Status.FAILED:
            errors[row.kind, _code(row.error), provider] += 1
        if row.started_at is not None:
            took_s = max(0.0, now - row.started_at)
            took[row.kind] += took_s
            within[row.kind, bound(took_s)] += 1
    sums: dict[counters.Key, float] = {}
    sums |= {(JOBS, labelled(type=k, status=s, provider=p)): n for (k, s, p), n in jobs.items()}
    sums |= {(CREDITS, labelled(type=k, provider=p)): n for (k, p), n in paid.items()}
    sums |= {(ERRORS, labelled(type=k, code=c, provider=p)): n for (k, c, p), n in errors.items()}
    sums |= {(DURATION, labelled(type=k, le=le)): n for (k, le), n in within.items()}
    sums |= {(DURATION_SUM, labelled(type=k)): s for k, s in took.items()}
    counters.add(tx, sums)


def _providers(tx: Tx, ended: Sequence[MovedRow]) -> dict[int, str]:
    """Who was called last for each."""
    started = [row.number for row in ended if row.started_at is not None and row.queue]
    calls = sorted(tx.all(_CALLED, numbers=started)) if started else []
    return {row.job: row.provider for row in calls}


def bound(took_s: float) -> str:
    """The first bound of the histogram that is not below it, as Prometheus writes it."""
    return BOUNDS[bisect_left(BOUNDS_S, took_s)]


def _code(error: str | None) -> str:
    return str(json.loads(error).get("code", "unknown")) if error else "unknown"
