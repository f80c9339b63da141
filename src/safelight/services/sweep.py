"""Sweep: guarded statements that any process may run at any time, so that no job waits for a dead one.

Each takes at most a slice per call, oldest first, and skips what somebody else is working on.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LIVE, EventType, Status
from safelight.domain.retry import MAX_LOST
from safelight.services import ending, hand_back
from safelight.services.sql import ENDED, INTEGER, NOW, arg, as_json
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, workers, calls = tables.jobs, tables.workers, tables.calls

SLICE = 200


class Hits(NamedTuple):
    """What a sweep would find now; nothing is written for zeros."""

    due: int
    overdue: int
    orphaned: int


class _QueueRow(NamedTuple):
    queue: str


class _Number(NamedTuple):
    number: int


class _Orphan(NamedTuple):
    number: int
    lost_n: int


_live_workers = sa.select(workers.c.id).where(workers.c.lost_at.is_(None))
_IS_DUE = sa.and_(jobs.c.due_at <= NOW, jobs.c.status == "pending")
_IS_OVERDUE = sa.and_(jobs.c.deadline_at <= NOW, jobs.c.status.in_(sorted(LIVE)))
_IS_ORPHAN = sa.and_(jobs.c.status == "processing", jobs.c.worker_id.not_in(_live_workers))


def _count(condition: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    some = sa.select(jobs.c.number).where(condition).limit(SLICE).subquery()
    return sa.select(sa.func.count()).select_from(some).scalar_subquery()


_HITS = Query(sa.select(_count(_IS_DUE), _count(_IS_OVERDUE), _count(_IS_ORPHAN)), Hits)

_due = (
    sa.select(jobs.c.number)
    .where(_IS_DUE)
    .order_by(jobs.c.due_at)
    .limit(SLICE)
    .with_for_update(skip_locked=True)
    .cte("due")
    .prefix_with("MATERIALIZED")
)
_MAKE_READY = Query(
    sa.update(jobs)
    .where(jobs.c.number.in_(sa.select(_due.c.number)))
    .values(ready=sa.true(), due_at=sa.null())
    .returning(jobs.c.queue),
    _QueueRow,
)
_overdue = (
    sa.select(jobs.c.number)
    .where(_IS_OVERDUE)
    .order_by(jobs.c.deadline_at)
    .limit(SLICE)
    .with_for_update(skip_locked=True)
    .cte("overdue")
    .prefix_with("MATERIALIZED")
)
_EXPIRE = Query(
    sa.update(jobs)
    .where(jobs.c.number.in_(sa.select(_overdue.c.number)))
    .values(
        {
            **ENDED,
            jobs.c.status: sa.literal(str(Status.FAILED)),
            jobs.c.error: sa.case(
                (jobs.c.started_at.is_(None), arg("never_started")),
                (jobs.c.status == "pending", arg("between_tries")),
                else_=arg("while_running"),
            ),
        }
    )
    .returning(*ending.ENDED_COLUMNS),
    ending.EndedRow,
)
_ORPHANS = Query(
    sa.select(jobs.c.number, jobs.c.lost_n)
    .where(_IS_ORPHAN)
    .order_by(jobs.c.number)
    .limit(SLICE)
    .with_for_update(skip_locked=True, of=jobs),
    _Orphan,
)
_this_orphan = sa.and_(jobs.c.number == arg("job", INTEGER), jobs.c.status == "processing")
_TAKE_BACK = hand_back.back_to_pending(_this_orphan, lost=True)
_GIVE_UP = Query(
    sa.update(jobs)
    .where(_this_orphan)
    .values({**ENDED, jobs.c.status: sa.literal(str(Status.FAILED)), jobs.c.error: arg("failure")})
    .returning(*ending.ENDED_COLUMNS),
    ending.EndedRow,
)
_of_job = calls.c.job == arg("job", INTEGER)
_FORGET_REPEATABLE = Change(
    sa.update(calls)
    .where(_of_job, calls.c.repeatable, calls.c.state == "sending")
    .values(state=sa.literal("failed"), error=sa.literal("the worker was lost"), ended_at=NOW)
)
_MARK_UNKNOWN = Change(
    sa.update(calls).where(_of_job, sa.not_(calls.c.repeatable), calls.c.state == "sending").values(state="unknown")
)
_OPEN_CALL = Query(
    sa.select(calls.c.number).where(
        _of_job, calls.c.state.in_(["sending", "accepted", "unknown"]), calls.c.given_up_at.is_(None)
    ),
    _Number,
)


def look(tx: Tx) -> Hits:
    """What there is to do, read without a lock."""
    return tx.all(_HITS, at_now=tx.now)[0]


def make_ready(tx: Tx) -> int:
    """Jobs whose time has come may be claimed."""
    rows = tx.all(_MAKE_READY, at_now=tx.now)
    tx.wake(*{f"queue:{row.queue}" for row in rows})
    return len(rows)


def expire(tx: Tx) -> int:
    """Jobs past their deadline fail and get their hold back, whoever is or is not alive."""
    ended = tx.all(
        _EXPIRE,
        at_now=tx.now,
        never_started=_too_late("No worker took it before its deadline.", "Check that a worker runs, then retry."),
        between_tries=_too_late("It was waiting for another try when its deadline came.", "Retry it later."),
        while_running=_too_late("It was still running at its deadline.", "Retry it, or ask for less at once."),
    )
    ending.close(tx, ended)
    return len(ended)


def take_from_lost(tx: Tx) -> int:
    """Jobs whose worker is lost or gone go back to their queue; those that lost too many workers are given up."""
    orphans = tx.all(_ORPHANS)
    if not orphans:
        return 0
    now = tx.now
    keys = [{"job": orphan.number} for orphan in orphans]
    tx.many(_FORGET_REPEATABLE, [{**key, "at_now": now} for key in keys])
    tx.many(_MARK_UNKNOWN, keys)
    hopeless = [o.number for o in orphans if o.lost_n + 1 >= MAX_LOST]
    failure = error_json("retries_exhausted", f"{MAX_LOST} workers were lost while running it.", "Ask the operator.")
    given_up = tx.many(_GIVE_UP, [{"job": n, "failure": failure, "at_now": now} for n in hopeless])
    ending.close(tx, [row for row in given_up if row])
    taken = [_take_back(tx, o.number, now) for o in orphans if o.number not in set(hopeless)]
    hand_back.announce(
        tx,
        [row for row in taken if row],
        EventType.REQUEUED,
        {"reason": "The worker that ran it was lost.", "code": "worker_lost", "due_at": None},
    )
    return len(orphans)


def _take_back(tx: Tx, job: int, now: float) -> hand_back.HandedBack | None:
    call_open = tx.one(_OPEN_CALL, job=job) is not None
    return tx.one(_TAKE_BACK, job=job, due_in_s=0.0, attempts_used=0, call_open=call_open, at_now=now)


def _too_late(message: str, remedy: str) -> str:
    return error_json("deadline_exceeded", message, remedy)


def error_json(code: str, message: str, remedy: str, *, retryable: bool = True) -> str:
    """A job's error as stored and shown."""
    return as_json({"code": code, "message": message, "remedy": remedy, "retryable": retryable})
