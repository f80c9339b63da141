"""How queues are doing: what waits and runs in each, how quickly jobs end, how many of them fail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import Status
from safelight.services import counters, ended_jobs, presence
from safelight.services.pause import QueueRow, queue_rows
from safelight.services.presence import Process
from safelight.services.sql import INTEGER, NOW, REAL
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs = tables.jobs

RATE_S: Final = 300.0
HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0


class Ended(NamedTuple):
    """Jobs of a queue that ended with one status: within five minutes, an hour and a day; `ran_s` is that hour's."""

    queue: str
    status: str
    in_five_minutes: int
    in_an_hour: int
    in_a_day: int
    ran_s: float
    ran: int


class _Oldest(NamedTuple):
    queue: str
    since: float


class QueueHealth(NamedTuple):
    now: float
    queues: list[QueueRow]
    ended: Mapping[str, list[Ended]]
    waiting_since: Mapping[str, float]
    processes: list[Process]
    processed: int
    """Jobs that ended since they are counted."""


def _within(seconds: float) -> sa.ColumnElement[bool]:
    return jobs.c.finished_at > NOW - seconds


def _number_of(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0), INTEGER)


_ran_lately = sa.and_(_within(HOUR_S), jobs.c.started_at.is_not(None))
_ENDED = Query(
    sa.select(
        jobs.c.queue,
        jobs.c.status,
        _number_of(_within(RATE_S)),
        _number_of(_within(HOUR_S)),
        sa.cast(sa.func.count(), INTEGER),
        sa.func.coalesce(
            sa.func.sum(sa.case((_ran_lately, jobs.c.finished_at - jobs.c.started_at), else_=0.0)), sa.cast(0.0, REAL)
        ),
        _number_of(_ran_lately),
    )
    .where(jobs.c.finished_at.is_not(None), _within(DAY_S), jobs.c.kind != "batch")
    .group_by(jobs.c.queue, jobs.c.status),
    Ended,
)
_LIVE = jobs.c.status.in_(["pending", "processing"])  # as an index of live jobs has it
_OLDEST = Query(
    sa.select(jobs.c.queue, sa.func.min(jobs.c.start_at))
    .where(_LIVE, jobs.c.status == "pending", jobs.c.due_at.is_(None), jobs.c.kind != "batch")
    .group_by(jobs.c.queue),
    _Oldest,
)


def look(tx: Tx) -> QueueHealth:
    """One consistent look."""
    now = tx.now
    ended: defaultdict[str, list[Ended]] = defaultdict(list)
    for row in tx.all(_ENDED, at_now=now):
        ended[row.queue].append(row)
    counted = (c for c in counters.sums(tx) if c.name == ended_jobs.JOBS)
    processed = sum(int(c.value) for c in counted if c.labels_by_name.get("type") != "batch")
    oldest = {row.queue: row.since for row in tx.all(_OLDEST)}
    return QueueHealth(now, queue_rows(tx), ended, oldest, presence.processes(tx), processed)


def completed(rows: list[Ended]) -> int:
    return sum(row.in_a_day for row in rows if row.status == Status.COMPLETED)


def failed(rows: list[Ended]) -> int:
    return sum(row.in_a_day for row in rows if row.status == Status.FAILED)


def per_minute(rows: list[Ended]) -> float:
    return round(sum(row.in_five_minutes for row in rows) / (RATE_S / 60), 2)


def error_rate(rows: list[Ended]) -> float:
    """Of the jobs that completed or failed within the hour, the share that failed."""
    counts = {row.status: 0 for row in rows}
    for row in rows:
        counts[row.status] += row.in_an_hour
    bad = counts.get(Status.FAILED, 0)
    total = bad + counts.get(Status.COMPLETED, 0)
    return round(bad / total, 4) if total else 0.0


def average_s(rows: list[Ended]) -> float:
    ran = sum(row.ran for row in rows)
    return round(sum(row.ran_s for row in rows) / ran, 3) if ran else 0.0
