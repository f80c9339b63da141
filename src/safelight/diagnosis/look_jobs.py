"""Look at jobs from above: what waits, what is late, how jobs ended lately. Each look is bounded, whatever there is.

Counts stop at MOST: an installation with more of something is in the same trouble.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from safelight.diagnosis.facts import HOUR_S, ErrorCount, Group, ModelWait, SlowModel
from safelight.domain.jobs import LIVE
from safelight.services.sql import INTEGER, NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, durations, queues = tables.jobs, tables.durations, tables.queues

MOST: Final = 10_000
IN_FRONT: Final = 1_000
RATE_S: Final = 300.0
SLOW_FROM_S: Final = 10.0
"""What takes less is not slow, however quick others were."""


class Waiting(NamedTuple):
    """What waits in a queue, of the first MOST jobs over all queues."""

    queue: str
    since: float
    credits: int


class _Late(NamedTuple):
    jobs: int
    credits: int
    since: float | None


class _Wait(NamedTuple):
    model: str
    provider_pin: str | None
    jobs: int
    credits: int


class _Ended(NamedTuple):
    status: str
    error: str | None
    jobs: int
    credits: int


class _Rate(NamedTuple):
    queue: str
    jobs: int


class _Slow(NamedTuple):
    model: str
    jobs: int
    since: float
    p95_s: float


class _Sum(NamedTuple):
    total: int


def _sum(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(column), 0), INTEGER)


_is_live = jobs.c.status.in_(sorted(LIVE))  # as the index of live jobs has it
_is_no_batch = jobs.c.kind != "batch"
_some = (
    sa.select(jobs.c.queue, jobs.c.start_at, jobs.c.price)
    .where(_is_live, jobs.c.status == "pending", jobs.c.due_at.is_(None), _is_no_batch)
    .limit(MOST)
    .subquery()
)
_WAITING = Query(
    sa.select(_some.c.queue, sa.func.min(_some.c.start_at), _sum(_some.c.price)).group_by(_some.c.queue), Waiting
)
_paused = sa.select(queues.c.name).where(queues.c.paused_at.is_not(None))
_late = (
    sa.select(jobs.c.deadline_at, jobs.c.price)
    .where(
        _is_live,
        jobs.c.deadline_at < NOW - arg("grace_s", REAL),
        _is_no_batch,
        sa.not_(sa.and_(jobs.c.started_at.is_(None), jobs.c.queue.in_(_paused))),
    )
    .limit(MOST)
    .subquery()
)
_LATE = Query(sa.select(sa.func.count(), _sum(_late.c.price), sa.func.min(_late.c.deadline_at)), _Late)
_front = (
    sa.select(jobs.c.model, jobs.c.provider_pin, jobs.c.price)
    .where(jobs.c.queue == arg("line"), jobs.c.ready)
    .order_by(jobs.c.priority.desc(), jobs.c.vstart, jobs.c.number)
    .limit(IN_FRONT)
    .subquery()
)
_WAITS = Query(
    sa.select(_front.c.model, _front.c.provider_pin, sa.func.count(), _sum(_front.c.price)).group_by(
        _front.c.model, _front.c.provider_pin
    ),
    _Wait,
)
_lately = (
    sa.select(jobs.c.status, jobs.c.error, jobs.c.price)
    .where(jobs.c.finished_at.is_not(None), jobs.c.finished_at > NOW - HOUR_S, _is_no_batch)
    .order_by(jobs.c.finished_at.desc())
    .limit(MOST)
    .subquery()
)
_ENDED = Query(
    sa.select(_lately.c.status, _lately.c.error, sa.func.count(), _sum(_lately.c.price)).group_by(
        _lately.c.status, _lately.c.error
    ),
    _Ended,
)
_just_now = (
    sa.select(jobs.c.queue)
    .where(jobs.c.finished_at.is_not(None), jobs.c.finished_at > NOW - RATE_S, _is_no_batch)
    .order_by(jobs.c.finished_at.desc())
    .limit(MOST)
    .subquery()
)
_RATES = Query(sa.select(_just_now.c.queue, sa.func.count()).group_by(_just_now.c.queue), _Rate)
_SLOW = Query(
    sa.select(jobs.c.model, sa.func.count(), sa.func.min(jobs.c.started_at), sa.func.min(durations.c.p95_s))
    .join_from(jobs, durations, durations.c.model == jobs.c.model)
    .where(
        jobs.c.status == "processing",
        jobs.c.started_at < NOW - durations.c.p95_s * arg("times", REAL),
        jobs.c.started_at < NOW - SLOW_FROM_S,
    )
    .group_by(jobs.c.model),
    _Slow,
)
_HELD = Query(sa.select(_sum(tables.accounts.c.held)), _Sum)
_PRICES = Query(sa.select(_sum(jobs.c.price)).where(_is_live), _Sum)
_NEWEST = Query(sa.select(sa.func.coalesce(sa.func.max(jobs.c.number), 0)), _Sum)


def waiting(tx: Tx) -> dict[str, Waiting]:
    """By queue, of jobs that are due."""
    return {row.queue: row for row in tx.all(_WAITING)}


def past_deadline(tx: Tx, grace_s: float) -> Group:
    """Live jobs whose deadline is over for longer than `grace_s`; those that rest in paused queues aside."""
    found = tx.all(_LATE, at_now=tx.now, grace_s=grace_s)[0]
    return Group(found.jobs, found.credits, 0.0 if found.since is None else tx.now - found.since)


def waits(tx: Tx, queue: str) -> list[ModelWait]:
    """What the first IN_FRONT jobs of a queue want."""
    return [ModelWait(queue, *row) for row in tx.all(_WAITS, line=queue)]


def per_minute(tx: Tx) -> dict[str, float]:
    """How many jobs end per minute, by queue, over the last five."""
    return {row.queue: row.jobs / (RATE_S / 60) for row in tx.all(_RATES, at_now=tx.now)}


def ended(tx: Tx) -> list[ErrorCount]:
    """How the last jobs of this hour ended."""
    counts, held = Counter[tuple[str, str | None, str | None]](), Counter[tuple[str, str | None, str | None]]()
    for row in tx.all(_ENDED, at_now=tx.now):
        error: dict[str, Any] = json.loads(row.error) if row.error else {}
        key = (row.status, error.get("code"), error.get("provider"))
        counts[key] += row.jobs
        held[key] += row.credits
    return [ErrorCount(*key, jobs, held[key]) for key, jobs in counts.most_common()]


def slow(tx: Tx, times: float) -> list[SlowModel]:
    """Models of which jobs take so many times what all but one in twenty of them needed."""
    return [
        SlowModel(row.model, row.jobs, tx.now - row.since, row.p95_s)
        for row in tx.all(_SLOW, at_now=tx.now, times=times)
    ]


def held(tx: Tx) -> tuple[int, int]:
    """Credits that accounts hold, and those that unfinished jobs should: the same, where the books are right."""
    return tx.all(_HELD)[0].total, tx.all(_PRICES)[0].total


def newest_number(tx: Tx) -> int:
    """How many jobs there ever were, about."""
    return tx.all(_NEWEST)[0].total
