"""Recover: make a restored database safe to go on with.

A backup knows less than the world: after it, jobs were claimed, calls were paid, numbers were given. So nothing may be
sent again without being asked for, and whoever still works for the lost days must find nothing that fits its lease.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import FAIL, LIVE, REQUEUE, EventType
from safelight.services import ending, hand_back
from safelight.services.job_error import error_json
from safelight.services.moves import ENDED, MOVED, OPEN_CALL, MovedRow, leaves, reaches
from safelight.services.pause import pause
from safelight.services.sql import INTEGER, arg
from safelight.services.sweep import SLICE, give_up_sending
from safelight.store import numbers, tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, calls, queues = tables.jobs, tables.calls, tables.queues

REASON = "after restore"
LEASE_GAP = 1_000_000
"""Added to fence and sequence of live jobs: no job moves as often between two backups."""
NUMBER_GAP = 1_000_000_000
"""Job numbers left out: a worker of the lost days holds some of them, with fences that new jobs would reach."""


class Plan(NamedTuple):
    """What there is to do after a restore, and for how many."""

    queues: int
    """To be paused."""
    processing: int
    """Jobs whose workers are gone, to be taken back."""
    unknown: int
    """Calls that were being sent: perhaps accepted, perhaps not."""
    resumable: int
    """Open calls that go on as they are: looked after by the id their provider gave them, or by policy."""
    unsent: int
    """Live jobs without a call in this database. They may have been sent, and paid, after the backup."""
    unsent_credits: int


class Slice(NamedTuple):
    """What was done to one slice of live jobs; `last` is where the next one begins, None at the end."""

    last: int | None
    processing: int = 0
    unknown: int = 0
    unsent: int = 0


class _Queue(NamedTuple):
    name: str


class _Job(NamedTuple):
    number: int
    status: str
    worker_id: str | None


_is_live = jobs.c.status.in_(sorted(LIVE))
_is_held = sa.and_(jobs.c.status == "processing", jobs.c.kind != "batch")
_paid_call = sa.exists().where(calls.c.job == jobs.c.number, OPEN_CALL, sa.not_(calls.c.repeatable)).correlate(jobs)
_IS_UNSENT = sa.and_(_is_live, jobs.c.kind != "batch", jobs.c.resumed_call.is_(None), sa.not_(_paid_call))


def _calls_in(*states: str) -> sa.ScalarSelect[int]:
    of_live = calls.join(jobs, calls.c.job == jobs.c.number)
    found = sa.select(sa.func.count()).select_from(of_live)
    wanted = sa.and_(_is_live, OPEN_CALL, calls.c.state.in_(states), sa.not_(calls.c.repeatable))
    return found.where(wanted).scalar_subquery()


_PLAN = Query(
    sa.select(
        sa.select(sa.func.count()).where(queues.c.paused_at.is_(None)).scalar_subquery(),
        sa.select(sa.func.count()).where(_is_held).scalar_subquery(),
        _calls_in("sending"),
        _calls_in("accepted", "unknown"),
        sa.func.count(),
        sa.cast(sa.func.coalesce(sa.func.sum(jobs.c.price), 0), sa.BigInteger),
    ).where(_IS_UNSENT),
    Plan,
)
_QUEUES = Query(sa.select(queues.c.name).order_by(queues.c.name), _Queue)
_numbers: sa.BindParameter[int] = sa.bindparam("numbers", expanding=True)
_LIVE = Query(
    sa.select(jobs.c.number, jobs.c.status, jobs.c.worker_id)
    .where(jobs.c.number > arg("after", INTEGER), _is_live)
    .order_by(jobs.c.number)
    .limit(SLICE),
    _Job,
)
_LEAP = Change(
    sa.update(jobs)
    .where(jobs.c.number.in_(_numbers), _is_live)
    .values(fence=jobs.c.fence + LEASE_GAP, sequence=jobs.c.sequence + LEASE_GAP)
)
_TAKE_BACK = hand_back.back_to_pending(sa.and_(jobs.c.number == arg("job", INTEGER), leaves(REQUEUE)), lost=False)
_FAIL_UNSENT = Query(
    sa.update(jobs)
    .where(jobs.c.number.in_(_numbers), _IS_UNSENT)
    .values({**ENDED, jobs.c.status: reaches(FAIL), jobs.c.error: arg("failure")})
    .returning(*MOVED),
    MovedRow,
)


def plan(tx: Tx) -> Plan:
    """What recovering would do now. Changes nothing."""
    return tx.all(_PLAN)[0]


def close_doors(tx: Tx) -> int:
    """Pause all queues, and give no number again that may have been given after the backup. Returns the queues paused.

    Jobs with an open call go on past the pause: looking after a call pays nothing.
    """
    numbers.give_above(tx, jobs, numbers.highest_given(tx, jobs) + NUMBER_GAP)
    return sum(pause(tx, queue.name, REASON) is True for queue in tx.all(_QUEUES))


def recover_slice(tx: Tx, after: int, *, fail_unsent: bool) -> Slice:
    """Take the next live jobs out of the hands of everybody who ever held them; calls being sent become unknown.

    A job without a call waits behind the pause for the operator's word, or fails with `fail_unsent`. It uses no attempt
    to have lost its worker. Repeating this is harmless.
    """
    found = tx.all(_LIVE, after=after)
    if not found:
        return Slice(None)
    live = [row.number for row in found]
    tx.lock(jobs, live)
    tx.run(_LEAP, numbers=live)
    unknown = give_up_sending(tx, live)
    failed = _fail_unsent(tx, live) if fail_unsent else 0
    held = [row.number for row in found if row.status == "processing" and row.worker_id is not None]
    return Slice(live[-1], _take_back(tx, held), unknown, failed)


def _fail_unsent(tx: Tx, live: Sequence[int]) -> int:
    failure = error_json(
        "provider_unknown", "The database was restored from a backup that does not say whether this job was sent."
    )
    failed = tx.all(_FAIL_UNSENT, numbers=live, failure=failure, at_now=tx.now)
    ending.close(tx, failed)
    return len(failed)


def _take_back(tx: Tx, held: Sequence[int]) -> int:
    taken = tx.many(
        _TAKE_BACK, [{"job": number, "due_in_s": 0.0, "attempts_used": 0, "at_now": tx.now} for number in held]
    )
    rows = [row for row in taken if row]
    hand_back.announce(tx, rows, EventType.REQUEUED, reason="The database was restored from a backup.", code="restored")
    return len(rows)
