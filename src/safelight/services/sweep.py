"""Sweep: guarded statements that any process may run at any time, so that no job waits for a dead one.

Each takes at most a slice per call, oldest first, and skips what somebody else is working on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import CANCEL, FAIL, REQUEUE, EventType, Status
from safelight.domain.retry import MAX_LOST
from safelight.services import ending, gate_parking, gate_words, hand_back, shares
from safelight.services.job_error import error_json
from safelight.services.moves import ENDED, LEASE_HOLDS, MOVED, MovedRow, leaves, picked, reaches, still
from safelight.services.sql import INTEGER, NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, workers, calls, queues = tables.jobs, tables.workers, tables.calls, tables.queues

SLICE = 200


class Hits(NamedTuple):
    """What a sweep would find now; nothing is written for zeros."""

    due: int
    overdue: int
    orphaned: int
    unheeded: int
    parked: int


class _Due(NamedTuple):
    """A job whose time has come, as it takes part in its queue."""

    number: int
    id: str
    queue: str
    user_id: str
    share: float
    vstart: float
    started_at: float | None


class _Waits(NamedTuple):
    waiting_for: str


class _Number(NamedTuple):
    number: int


class _Orphan(NamedTuple):
    number: int
    lost_n: int


_live_workers = sa.select(workers.c.id).where(workers.c.lost_at.is_(None))
_IS_DUE = sa.and_(jobs.c.due_at <= NOW, still(Status.PENDING))
_is_no_batch = jobs.c.kind != "batch"  # a batch has neither worker nor deadline of its own: it ends with its items
_paused = sa.select(queues.c.name).where(queues.c.paused_at.is_not(None))
_rests = sa.and_(jobs.c.started_at.is_(None), jobs.c.queue.in_(_paused))
_IS_OVERDUE = sa.and_(jobs.c.deadline_at <= NOW, leaves(FAIL), _is_no_batch, sa.not_(_rests))
"""Not while its queue is paused and it never started: it gets the time of the pause on top (`pause.py`)."""
_IS_ORPHAN = sa.and_(leaves(REQUEUE), jobs.c.worker_id.not_in(_live_workers), _is_no_batch)
_IS_UNHEEDED = sa.and_(
    jobs.c.cancel_requested_at <= NOW - arg("patience_s", REAL),
    jobs.c.status.in_(["pending", "processing"]),
    _is_no_batch,
)
_IS_PARKED = jobs.c.waiting_for.is_not(None)


def _count(condition: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    some = sa.select(jobs.c.number).where(condition).limit(SLICE).subquery()
    return sa.select(sa.func.count()).select_from(some).scalar_subquery()


_HITS = Query(
    sa.select(*map(_count, (_IS_DUE, _IS_OVERDUE, _IS_ORPHAN, _IS_UNHEEDED, _IS_PARKED))),
    Hits,
)
_QUICK_HITS = Query(sa.select(_count(_IS_DUE), *[sa.literal(0)] * (len(Hits._fields) - 1)), Hits)

_due = picked(sa.select(jobs.c.number).where(_IS_DUE).order_by(jobs.c.due_at).limit(SLICE), "due")
_MAKE_READY = Query(
    sa.update(jobs)
    .where(jobs.c.number.in_(sa.select(_due.c.number)))
    .values(ready=sa.not_(jobs.c.resumes), due_at=sa.null())
    .returning(*(jobs.c[name] for name in _Due._fields)),
    _Due,
)
_LINE_UP = Change(
    sa.update(jobs).where(jobs.c.number == arg("job", INTEGER)).values(vstart=arg("place", REAL)),
)
_overdue = picked(sa.select(jobs.c.number).where(_IS_OVERDUE).order_by(jobs.c.deadline_at).limit(SLICE), "overdue")
_first_overdue = sa.select(jobs.c.waiting_for).where(_IS_OVERDUE).order_by(jobs.c.deadline_at).limit(SLICE).subquery()
_OVERDUE_AT_GATES = Query(
    sa.select(_first_overdue.c.waiting_for)
    .where(_first_overdue.c.waiting_for.like(f"{gate_parking.PREFIX}%"))
    .distinct(),
    _Waits,
)
_overdue_there = picked(
    sa.select(jobs.c.number)
    .where(_IS_OVERDUE, jobs.c.waiting_for == arg("reason"))
    .order_by(jobs.c.deadline_at)
    .limit(SLICE),
    "overdue_there",
)
_EXPIRE_AT_GATE = Query(
    sa.update(jobs)
    .where(jobs.c.number.in_(sa.select(_overdue_there.c.number)))
    .values({**ENDED, jobs.c.status: reaches(FAIL), jobs.c.error: arg("failure"), jobs.c.lost_n: jobs.c.lost_n + 1})
    .returning(*MOVED),
    MovedRow,
)
_EXPIRE = Query(
    sa.update(jobs)
    .where(jobs.c.number.in_(sa.select(_overdue.c.number)))
    .values(
        {
            **ENDED,
            jobs.c.status: reaches(FAIL),
            jobs.c.error: sa.case(
                (jobs.c.started_at.is_(None), arg("never_started")),
                (jobs.c.status == "pending", arg("between_tries")),
                else_=arg("while_running"),
            ),
        }
    )
    .returning(*MOVED),
    MovedRow,
)
_unheeded = picked(
    sa.select(jobs.c.number).where(_IS_UNHEEDED).order_by(jobs.c.cancel_requested_at).limit(SLICE), "unheeded"
)
_CANCEL = Query(
    sa.update(jobs)
    .where(jobs.c.number.in_(sa.select(_unheeded.c.number)))
    .values({**ENDED, jobs.c.status: reaches(CANCEL)})
    .returning(*MOVED),
    MovedRow,
)
_ORPHANS = Query(
    sa.select(jobs.c.number).where(_IS_ORPHAN).limit(SLICE).with_for_update(skip_locked=True, of=jobs), _Number
)
_STILL_ORPHAN = Query(
    sa.select(jobs.c.number, jobs.c.lost_n).where(
        jobs.c.number.in_(sa.bindparam("numbers", expanding=True)), _IS_ORPHAN
    ),
    _Orphan,
)
_HELD = Query(sa.select(jobs.c.number, jobs.c.lost_n).where(LEASE_HOLDS).with_for_update(), _Orphan)
_this_job = sa.and_(jobs.c.number == arg("job", INTEGER), still(Status.PROCESSING))
_TAKE_BACK = hand_back.back_to_pending(_this_job, lost=True)
_GIVE_UP = Query(
    sa.update(jobs)
    .where(_this_job)
    .values({**ENDED, jobs.c.status: reaches(FAIL), jobs.c.error: arg("failure"), jobs.c.lost_n: jobs.c.lost_n + 1})
    .returning(*MOVED),
    MovedRow,
)
_of_job = calls.c.job == arg("job", INTEGER)
_FORGET_REPEATABLE = Change(
    sa.update(calls)
    .where(_of_job, calls.c.repeatable, calls.c.state == "sending")
    .values(state=sa.literal("failed"), error=sa.literal("the worker was lost"), ended_at=NOW)
)
_MARK_UNKNOWN = Change(
    sa.update(calls)
    .where(_of_job, sa.not_(calls.c.repeatable), calls.c.state == "sending")
    .values(state="unknown", unknown_at=NOW)
)


def look(tx: Tx, patience_s: float, *, thorough: bool = True) -> Hits:
    """What there is to do, read without a lock. `patience_s`: how long a worker may take to honour a cancel.

    The quick look tells only what is due: others read more than their hits, such as all that rests in paused queues.
    """
    if not thorough:
        return tx.all(_QUICK_HITS, at_now=tx.now)[0]
    return tx.all(_HITS, at_now=tx.now, patience_s=patience_s)[0]


def make_ready(tx: Tx) -> int:
    """Jobs whose time has come may be claimed."""
    rows = tx.all(_MAKE_READY, at_now=tx.now)
    _line_up(tx, [row for row in rows if row.started_at is None and row.queue])
    tx.wake(*{f"queue:{row.queue}" for row in rows})
    return len(rows)


def _line_up(tx: Tx, scheduled: Sequence[_Due]) -> None:
    """Jobs that waited for their start time take another turn if theirs has passed: else they would overtake all."""
    late = shares.missed(tx, sorted(scheduled, key=lambda row: row.number))
    places = shares.take(tx, late)
    tx.many(_LINE_UP, [{"job": row.number, "place": places[row.id]} for row in late])


def expire(tx: Tx) -> int:
    """Jobs past their deadline fail and get their hold back, whoever is or is not alive."""
    ended = _expire_at_gates(tx)
    ended += tx.all(
        _EXPIRE,
        at_now=tx.now,
        never_started=_too_late("No worker took it before its deadline.", "Check that a worker runs, then retry."),
        between_tries=_too_late("It was waiting for another try when its deadline came.", "Retry it later."),
        while_running=_too_late("It was still running at its deadline.", "Retry it, or ask for less at once."),
    )
    ending.close(tx, ended)
    return len(ended)


def _expire_at_gates(tx: Tx) -> list[MovedRow]:
    """Those that waited for a provider are told what kept it from them."""
    ended = list[MovedRow]()
    for (reason,) in tx.all(_OVERDUE_AT_GATES, at_now=tx.now):
        failure = gate_words.too_late(tx, gate_parking.provider_of(reason) or "")
        ended += tx.all(_EXPIRE_AT_GATE, reason=reason, failure=failure, at_now=tx.now)
    return ended


def cancel_unheeded(tx: Tx, patience_s: float) -> int:
    """Jobs that were to be canceled and that no worker stopped end now. Their calls are looked after from here on."""
    ended = tx.all(_CANCEL, at_now=tx.now, patience_s=patience_s)
    ending.close(tx, ended, {row.number: {"by": "user"} for row in ended})
    tx.wake(*(f"stop:{row.id}" for row in ended))
    return len(ended)


def take_from_lost(tx: Tx) -> int:
    """Jobs whose worker is lost or gone go back to their queue; those that lost too many workers are given up.

    They are looked at twice: on Postgres the first look locks them, but judges their workers as of its own start, and
    one that registered and claimed meanwhile would seem to be gone.
    """
    numbers = [row.number for row in tx.all(_ORPHANS)]
    orphans = tx.all(_STILL_ORPHAN, numbers=numbers) if numbers else []
    _take(tx, sorted(orphans), "The worker that ran it was lost.", "worker_lost")
    return len(orphans)


def take_unrun(tx: Tx, job: int, fence: int) -> bool:
    """A worker holds a job that it does not run: it goes back as if its worker had been lost."""
    held = tx.one(_HELD, job=job, held_fence=fence)
    if held is None:
        return False
    _take(tx, [held], "The worker held it without running it.", "not_running")
    return True


def give_up_sending(tx: Tx, numbers: Sequence[int]) -> int:
    """Whoever was sending calls of these jobs is gone: free ones are over, the others unknown. Returns how many are."""
    keys = [{"job": number, "at_now": tx.now} for number in numbers]
    tx.many(_FORGET_REPEATABLE, keys)
    return sum(tx.many(_MARK_UNKNOWN, keys))


def _take(tx: Tx, orphans: Sequence[_Orphan], reason: str, code: str) -> None:
    now = tx.now
    give_up_sending(tx, [orphan.number for orphan in orphans])
    failure = error_json(
        "retries_exhausted", f"{MAX_LOST} workers were lost while running it.", remedy="Ask the operator."
    )
    given_up = tx.many(
        _GIVE_UP, [{"job": o.number, "failure": failure, "at_now": now} for o in orphans if o.lost_n + 1 >= MAX_LOST]
    )
    taken = tx.many(
        _TAKE_BACK,
        [
            {"job": o.number, "due_in_s": 0.0, "attempts_used": 0, "at_now": now}
            for o in orphans
            if o.lost_n + 1 < MAX_LOST
        ],
    )
    ending.close(tx, [row for row in given_up if row])
    hand_back.announce(tx, [row for row in taken if row], EventType.REQUEUED, reason=reason, code=code)


def _too_late(message: str, remedy: str) -> str:
    return error_json("deadline_exceeded", message, remedy=remedy)
