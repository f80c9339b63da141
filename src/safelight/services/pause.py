"""Pause a queue and let it go on. What has an open call goes on all the same: its provider works already."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LIVE
from safelight.services.sql import NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, queues = tables.jobs, tables.queues

SLICE = 500
"""Deadlines moved in one transaction; of jobs with the very same deadline, as in a batch, all are."""
AFTER_ALL = 1e12
"""A deadline later than any, in epoch seconds."""


class QueueRow(NamedTuple):
    """A queue as an operator sees it. `ready` may be claimed, `delayed` is not due, `parked` waits for a cap."""

    name: str
    paused_at: float | None
    pause_reason: str | None
    ready: int
    delayed: int
    parked: int
    running: int


class Resumed(NamedTuple):
    """One slice of resuming a queue: how many deadlines it moved, and whether claims go on now."""

    moved: int
    goes_on: bool


class _Paused(NamedTuple):
    paused_at: float | None
    resumed_to: float | None


class _Deadline(NamedTuple):
    deadline_at: float | None


_of_queue = jobs.c.queue == queues.c.name


def _count(*conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).where(_of_queue, *conditions).correlate(queues).scalar_subquery()


_waits = jobs.c.status == "pending"
_ALL = Query(
    sa.select(
        queues.c.name,
        queues.c.paused_at,
        queues.c.pause_reason,
        _count(jobs.c.ready).label("ready"),
        _count(_waits, jobs.c.due_at.is_not(None)).label("delayed"),
        _count(jobs.c.waiting_for.is_not(None)).label("parked"),
        _count(sa.or_(jobs.c.status == "processing", jobs.c.resumes)).label("running"),
    ).order_by(queues.c.name),
    QueueRow,
)
_LOCK = Query(
    sa.select(queues.c.paused_at, queues.c.resumed_to).where(queues.c.name == arg("line")).with_for_update(), _Paused
)
_PAUSE = Change(
    sa.update(queues)
    .where(queues.c.name == arg("line"), queues.c.paused_at.is_(None))
    .values(paused_at=NOW, pause_reason=arg("reason"))
)
_RESUME = Change(
    sa.update(queues)
    .where(queues.c.name == arg("line"))
    .values(paused_at=sa.null(), pause_reason=sa.null(), resumed_to=sa.null())
)
_REMEMBER = Change(sa.update(queues).where(queues.c.name == arg("line")).values(resumed_to=arg("reached", REAL)))
_since = sa.case(
    (jobs.c.start_at > arg("paused_since", REAL), jobs.c.start_at),
    else_=sa.cast(arg("paused_since", REAL), REAL),
)
_rested = (
    jobs.c.status.in_(sorted(LIVE)),  # as the index of deadlines has it
    jobs.c.status == "pending",
    jobs.c.queue == arg("line"),
    jobs.c.started_at.is_(None),
    jobs.c.deadline_at > arg("paused_since", REAL),  # the sweep has left them alone since then
    jobs.c.deadline_at < arg("below", REAL),
)
_latest = sa.select(jobs.c.deadline_at).where(*_rested).order_by(jobs.c.deadline_at.desc()).limit(SLICE).subquery()
_SLICE = Query(sa.select(sa.func.min(_latest.c.deadline_at)), _Deadline)
_SHIFT = Change(
    sa.update(jobs)
    .where(*_rested, jobs.c.deadline_at >= arg("down_to", REAL), _since < NOW)
    .values(deadline_at=jobs.c.deadline_at + (NOW - _since))
)


def queue_rows(tx: Tx) -> list[QueueRow]:
    """Every queue, by name."""
    return tx.all(_ALL)


def pause(tx: Tx, queue: str, reason: str | None) -> bool | None:
    """No more of its waiting jobs are claimed. False if it was paused before, None if there is no such queue."""
    if tx.one(_LOCK, line=queue) is None:
        return None
    return tx.run(_PAUSE, line=queue, reason=reason, at_now=tx.now) == 1


def resume(tx: Tx, queue: str) -> Resumed | None:
    """Jobs that never started get the paused time on top of their deadline, a slice a transaction; then claims go on.

    The latest deadline comes first: what was moved lies behind then, and is not met again. None if there is no such
    queue.
    """
    row = tx.one(_LOCK, line=queue)
    if row is None:
        return None
    if row.paused_at is None:
        return Resumed(0, goes_on=True)
    given = {
        "line": queue,
        "paused_since": row.paused_at,
        "below": AFTER_ALL if row.resumed_to is None else row.resumed_to,
    }
    down_to = tx.all(_SLICE, **given)[0].deadline_at
    if down_to is None:
        tx.run(_RESUME, line=queue)
        tx.wake(f"queue:{queue}")
        return Resumed(0, goes_on=True)
    moved = tx.run(_SHIFT, down_to=down_to, at_now=tx.now, **given)
    tx.run(_REMEMBER, line=queue, reached=down_to)
    return Resumed(moved, goes_on=False)
