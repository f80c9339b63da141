"""Hand back: a job that was processing goes to `pending` again, to be claimed now or later.

Workers do it when a try failed or when they drain, the sweep when a worker is lost. If somebody asked
to cancel the job meanwhile, and no call is open, it ends as canceled instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.domain.clock import as_rfc3339
from safelight.domain.jobs import CANCEL, HAND_BACK, EventType, Stage, Status
from safelight.services import ending, events, parking
from safelight.services.calls import CallOutcome, end_call, lock_gates
from safelight.services.moves import ENDED, HAS_OPEN_CALL, LEASE_HOLDS, MOVED, MovedRow, reaches
from safelight.services.sql import INTEGER, NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, calls = tables.jobs, tables.calls

_HAS_CALLED = sa.exists().where(calls.c.job == jobs.c.number).correlate(jobs)


def back_to_pending(guard: Any, *, lost: bool, parks: bool = False) -> Query[MovedRow]:
    """The UPDATE behind every hand-back. Arguments beside the guard's: due_in_s, attempts_used, at_now.

    With `parks` the job leaves the queue until it is let in again; argument: reason. If it never called anybody it is
    then as if it had not been claimed, and has the time it had before.

    `attempts_used` is 0 when the try does not count. A lost worker never uses an attempt; it is counted in `lost_n`.
    The caller has locked the job, and has recorded what is known of its call: an open one makes the job resume.
    """
    canceled = sa.and_(jobs.c.cancel_requested_at.is_not(None), sa.not_(HAS_OPEN_CALL))
    waits = arg("due_in_s", REAL) > 0
    values = {
        jobs.c.status: sa.case((canceled, reaches(CANCEL)), else_=reaches(HAND_BACK)),
        jobs.c.stage: sa.literal(str(Stage.QUEUED)),
        jobs.c.progress: sa.literal(0.0),
        jobs.c.ready: sa.and_(sa.not_(canceled), sa.not_(waits), sa.not_(HAS_OPEN_CALL)),
        jobs.c.resumes: HAS_OPEN_CALL,
        jobs.c.due_at: sa.case((sa.and_(waits, sa.not_(canceled)), NOW + arg("due_in_s", REAL)), else_=sa.null()),
        jobs.c.attempt: jobs.c.attempt - 1 + arg("attempts_used", INTEGER),
        jobs.c.settled: canceled,
        jobs.c.finished_at: sa.case((canceled, NOW), else_=sa.null()),
        jobs.c.worker_id: ENDED[jobs.c.worker_id],
        jobs.c.fence: ENDED[jobs.c.fence],
        jobs.c.sequence: ENDED[jobs.c.sequence],
        jobs.c.lost_n: jobs.c.lost_n + (1 if lost else 0),
    }
    if parks:
        stays = sa.and_(sa.not_(canceled), sa.not_(HAS_OPEN_CALL))
        untouched = sa.and_(stays, sa.not_(_HAS_CALLED))
        values[jobs.c.ready] = sa.false()
        values[jobs.c.waiting_for] = sa.case((stays, arg("reason")), else_=sa.null())
        values[jobs.c.started_at] = sa.case((untouched, sa.null()), else_=jobs.c.started_at)
        values[jobs.c.deadline_at] = sa.case(
            (untouched, sa.func.coalesce(jobs.c.first_deadline_at, jobs.c.deadline_at)), else_=jobs.c.deadline_at
        )
    return Query(sa.update(jobs).where(guard).values(values).returning(*MOVED), MovedRow)


class Return(NamedTuple):
    """A worker gives a job back: why (public words), when it is due again, and what became of the call."""

    job: int
    fence: int
    reason: str
    due_in_s: float
    uses_attempt: bool
    call: CallOutcome | None = None
    retrying: bool = True
    error_code: str | None = None
    waits_for: str | None = None
    """What has to let it in again; it is not due at any time of its own then."""


_RETURN = back_to_pending(LEASE_HOLDS, lost=False)
_PARK = back_to_pending(LEASE_HOLDS, lost=False, parks=True)


def hand_back(tx: Tx, given: Return) -> bool:
    """Give a job back; False where it was no longer the caller's. What is known of the call is recorded anyway."""
    if given.call:
        lock_gates(tx, [given.call])
    tx.lock(jobs, [given.job])  # jobs are locked before their calls, as everywhere
    if given.call:
        end_call(tx, [given.call])
    values = {
        "job": given.job,
        "held_fence": given.fence,
        "due_in_s": given.due_in_s,
        "attempts_used": int(given.uses_attempt),
        "at_now": tx.now,
    }
    row = tx.one(_PARK, reason=given.waits_for, **values) if given.waits_for else tx.one(_RETURN, **values)
    if row is None:
        return False
    kind = EventType.RETRYING if given.retrying else EventType.REQUEUED
    announce(tx, [row], kind, reason=given.reason, code=given.error_code)
    return True


def announce(tx: Tx, rows: Sequence[MovedRow], kind: EventType, *, reason: str, code: str | None) -> None:
    """Close those that ended as canceled; say of the others that they wait again, and wake their queues."""
    waiting = [row for row in rows if row.status == Status.PENDING]
    ending.close(tx, [row for row in rows if row.status == Status.CANCELED])
    events.append(
        tx,
        [
            events.NewEvent(
                row.number,
                row.id,
                row.user_id,
                row.sequence,
                kind,
                {"reason": reason, "code": code, "due_at": None if row.due_at is None else as_rfc3339(row.due_at)},
                row.callback,
            )
            for row in waiting
        ],
    )
    parking.let_in(tx, waiting)
    tx.wake(*{f"queue:{row.queue}" for row in waiting})
