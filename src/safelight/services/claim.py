"""Claim: a worker takes ready jobs of its queues, in order of priority and fair share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import CLAIM, EventType, Stage
from safelight.services import events
from safelight.services.moves import picked, reaches
from safelight.services.sql import INTEGER, NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, queues, workers = tables.jobs, tables.queues, tables.workers


class ClaimedJob(NamedTuple):
    """A job in a worker's hands. `seconds_left` until its deadline, by the database's clock."""

    number: int
    id: str
    user_id: str
    kind: str
    model: str
    provider_pin: str | None
    queue: str
    prompt: str
    params: str
    outputs: int
    fence: int
    attempt: int
    max_attempts: int
    sequence: int
    vstart: float
    cancel_requested_at: float | None
    request_id: str | None
    created_at: float
    claimed_at: float
    seconds_left: float


class _WorkerRow(NamedTuple):
    id: str


class _QueueRow(NamedTuple):
    name: str
    paused_at: float | None


_LIVE_WORKER = Query(
    sa.select(workers.c.id)
    .where(workers.c.id == arg("worker"), workers.c.lost_at.is_(None), sa.not_(workers.c.draining))
    .with_for_update(read=True),
    _WorkerRow,
)
_QUEUE = Query(
    sa.select(queues.c.name, queues.c.paused_at).where(queues.c.name == arg("line")).with_for_update(), _QueueRow
)
_ADVANCE_CLOCK = Change(
    sa.update(queues)
    .where(queues.c.name == arg("line"), queues.c.clock < arg("reached", REAL))
    .values(clock=arg("reached", REAL))
)


def _claim_from(rows: sa.Select[Any]) -> Query[ClaimedJob]:
    chosen = picked(rows, "picked")
    first = jobs.c.started_at.is_(None)
    run_until = NOW + jobs.c.run_limit_s
    deadline = sa.case((sa.and_(first, run_until < jobs.c.deadline_at), run_until), else_=jobs.c.deadline_at)
    claimed = (
        sa.update(jobs)
        .where(jobs.c.number.in_(sa.select(chosen.c.number)))
        .values(
            status=reaches(CLAIM),
            stage=sa.literal(str(Stage.STARTING)),
            ready=sa.false(),
            resumes=sa.false(),
            waiting_for=sa.null(),
            due_at=sa.null(),
            worker_id=arg("worker"),
            fence=jobs.c.fence + 1,
            attempt=jobs.c.attempt + 1,
            sequence=jobs.c.sequence + 1,
            started_at=sa.func.coalesce(jobs.c.started_at, NOW),
            claimed_at=NOW,
            deadline_at=deadline,
        )
    )
    columns = [jobs.c[name] for name in ClaimedJob._fields if name != "seconds_left"]
    return Query(claimed.returning(*columns, jobs.c.deadline_at - NOW), ClaimedJob)


_READY = _claim_from(
    sa.select(jobs.c.number)
    .where(jobs.c.queue == arg("line"), jobs.c.ready)
    .order_by(jobs.c.priority.desc(), jobs.c.vstart, jobs.c.number)
    .limit(arg("slots", INTEGER))
)
_RESUMES = _claim_from(
    sa.select(jobs.c.number)
    .where(jobs.c.queue == arg("line"), jobs.c.resumes, sa.or_(jobs.c.due_at.is_(None), jobs.c.due_at <= NOW))
    .order_by(jobs.c.number)
    .limit(arg("slots", INTEGER))
)
"""Jobs with an open call go first, past any pause: their provider is already working."""


def claim(tx: Tx, worker_id: str, lines: Sequence[str], slots: int) -> list[ClaimedJob]:
    """Take up to `slots` jobs from the queues named, in the order named; none unless the worker's row is live."""
    if tx.one(_LIVE_WORKER, worker=worker_id) is None:
        return []
    queues_seen = {line: tx.one(_QUEUE, line=line) for line in sorted(lines)}  # locked in one order by everybody
    claimed: list[ClaimedJob] = []
    for line in lines:
        queue = queues_seen[line]
        if queue is not None and len(claimed) < slots:
            claimed += _claim_line(tx, worker_id, queue, slots - len(claimed))
    events.append(
        tx,
        [
            events.NewEvent(j.number, j.id, j.user_id, j.sequence, EventType.STARTED, {"attempt": j.attempt})
            for j in claimed
        ],
    )
    return claimed


def _claim_line(tx: Tx, worker_id: str, queue: _QueueRow, slots: int) -> list[ClaimedJob]:
    given = {"worker": worker_id, "line": queue.name, "at_now": tx.now}
    taken = tx.all(_RESUMES, slots=slots, **given)
    if queue.paused_at is None and len(taken) < slots:
        ready = tx.all(_READY, slots=slots - len(taken), **given)
        if ready:
            tx.run(_ADVANCE_CLOCK, line=queue.name, reached=max(job.vstart for job in ready))
        taken += sorted(ready, key=lambda job: (job.vstart, job.number))
    return taken
