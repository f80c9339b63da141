"""What carries a recovery out, once its time has come: slice by slice, in any process that sweeps.

A slice is one transaction: its jobs are locked, looked at again, moved by the guarded UPDATEs of the ordinary cases,
and their outcomes written down. So a process that dies amid a recovery leaves whole slices behind, and another goes on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import FAIL, TERMINAL, EventType, Status
from safelight.services import cancel, ending, events, keys, retry
from safelight.services.job_error import error_json
from safelight.services.job_filter import Found, look_again
from safelight.services.moves import ENDED, HAS_OPEN_CALL, MOVED, MovedRow, leaves, reaches
from safelight.services.recoveries import ROW, Recovery
from safelight.services.recovery_rules import Action, hindrance
from safelight.services.sql import INTEGER, NOW, REAL, arg, as_json
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, recoveries, recovery_jobs = tables.jobs, tables.recoveries, tables.recovery_jobs

SLICE = 200
DUE_AT_ONCE = 100
FAILED_BY_OPERATOR = "failed_by_operator"


class ToMake(NamedTuple):
    """A job of a recovery that is to be made again: that takes the catalog and the desk."""

    job: int
    id: str
    user_id: str
    key: str
    """Stands for having made it: whoever comes second finds it made."""
    message: str


class Slice(NamedTuple):
    """What was done to some jobs of a recovery, and whether it goes on here."""

    goes_on: bool
    dealt: int = 0
    to_make: tuple[ToMake, ...] = ()
    done: Recovery | None = None
    """The recovery, if this was the last of it."""


class Outcome(NamedTuple):
    """What became of a job: `requeued`, `failed`, `canceled`, `stopping`, `due`, `made`; or why it was left alone."""

    word: str
    detail: str | None = None


class _Number(NamedTuple):
    number: int


class _Left(NamedTuple):
    job: int


_is_open = recoveries.c.state.in_(["planned", "running"])
_DUE = Query(
    sa.select(recoveries.c.number)
    .where(_is_open, recoveries.c.effective_at <= NOW)
    .order_by(recoveries.c.effective_at)
    .limit(DUE_AT_ONCE),
    _Number,
)
_of_plan = recoveries.c.number == arg("plan", INTEGER)
_TAKE = Query(sa.select(*ROW).where(_of_plan, _is_open).with_for_update(skip_locked=True), Recovery)
_LOCK = Query(sa.select(*ROW).where(_of_plan, _is_open).with_for_update(), Recovery)
_LEFT = Query(
    sa.select(recovery_jobs.c.job)
    .where(recovery_jobs.c.recovery == arg("plan", INTEGER), recovery_jobs.c.outcome.is_(None))
    .order_by(recovery_jobs.c.job)
    .limit(SLICE),
    _Left,
)
_RECORD = Change(
    sa.update(recovery_jobs)
    .where(
        recovery_jobs.c.recovery == arg("plan", INTEGER),
        recovery_jobs.c.job == arg("this_job", INTEGER),
        recovery_jobs.c.outcome.is_(None),
    )
    .values(outcome=arg("word"), detail=arg("more"), at=sa.cast(NOW, REAL))
)
_TALLY = Query(
    sa.update(recoveries)
    .where(_of_plan)
    .values(
        counts=arg("tally"),
        state=arg("reached"),
        ended_at=sa.case((arg("reached") == "done", sa.cast(NOW, REAL)), else_=sa.null()),
    )
    .returning(*ROW),
    Recovery,
)
_numbers: sa.BindParameter[int] = sa.bindparam("numbers", expanding=True)
_these = jobs.c.number.in_(_numbers)
_requeued_at = (
    sa.select(sa.func.max(recovery_jobs.c.at))
    .where(recovery_jobs.c.job == jobs.c.number, recovery_jobs.c.outcome == "requeued")
    .correlate(jobs)
    .scalar_subquery()
)
_waits_since = sa.func.coalesce(_requeued_at, jobs.c.start_at)
_within_run = sa.cast(NOW, REAL) + jobs.c.run_limit_s
_REQUEUE = Query(
    sa.update(jobs)
    .where(
        _these,
        jobs.c.status.concat("") == "pending",
        jobs.c.kind != "batch",
        jobs.c.cancel_requested_at.is_(None),
        sa.not_(HAS_OPEN_CALL),
    )
    .values(
        {
            jobs.c.ready: sa.true(),
            jobs.c.waiting_for: sa.null(),
            jobs.c.due_at: sa.null(),
            jobs.c.published_at: sa.null(),
            jobs.c.sequence: jobs.c.sequence + 1,
            jobs.c.deadline_at: sa.case(
                (jobs.c.started_at.is_(None), jobs.c.deadline_at + (NOW - _waits_since)),
                (jobs.c.deadline_at < _within_run, _within_run),
                else_=jobs.c.deadline_at,
            ),
        }
    )
    .returning(*MOVED),
    MovedRow,
)
"""One that never started gets the time back that it has waited, as after an outage; one that did, time for a run."""
_FAIL = Query(
    sa.update(jobs)
    .where(_these, leaves(FAIL), jobs.c.kind != "batch")
    .values({**ENDED, jobs.c.status: reaches(FAIL), jobs.c.error: arg("failure")})
    .returning(*MOVED),
    MovedRow,
)
_RETRY = Query(sa.update(jobs).where(_these, retry.CAN_BE_DUE).values(retry.DUE).returning(*MOVED), MovedRow)


def due(tx: Tx) -> list[int]:
    """The numbers of recoveries that are to be carried out now, read without a lock."""
    return [row.number for row in tx.all(_DUE, at_now=tx.now)]


def carry_out(tx: Tx, number: int) -> Slice:
    """Deal with a slice of a recovery that is due, unless it was stopped or another process is at it."""
    plan = tx.one(_TAKE, plan=number)
    if plan is None:
        return Slice(goes_on=False)
    numbers = [row.job for row in tx.all(_LEFT, plan=plan.number)]
    tx.lock(jobs, numbers)
    rows, meant = look_again(tx, plan.meant, numbers)
    outcomes, to_do = _judged(tx, plan, numbers, rows, meant)
    to_make: tuple[ToMake, ...] = ()
    if plan.action == Action.RETRY:
        ended = [row for row in to_do if row.status in TERMINAL]
        to_make = tuple(ToMake(row.number, row.id, row.user_id, _key(plan, row.id), plan.message) for row in ended)
    outcomes |= _done(tx, plan, [row.number for row in to_do if row.status not in TERMINAL])
    done = _record(tx, plan, outcomes)
    return Slice(done is None, len(outcomes), to_make, done)


def made(tx: Tx, number: int, outcomes: Mapping[int, Outcome]) -> Recovery | None:
    """Write down what became of jobs that were to be made again. The recovery, if that was the last of it."""
    plan = tx.one(_LOCK, plan=number)
    return None if plan is None else _record(tx, plan, outcomes)


def _judged(
    tx: Tx, plan: Recovery, numbers: Sequence[int], rows: Sequence[Found], meant: frozenset[int]
) -> tuple[dict[int, Outcome], list[Found]]:
    """Those that are left alone, with the reason, and those to be dealt with."""
    there = {row.number: row for row in rows}
    left, to_do = dict[int, Outcome](), list[Found]()
    for number in numbers:
        row = there.get(number)
        if row is None:
            left[number] = Outcome("gone")
        elif row.again and (id_ := keys.job_of(tx, row.user_id, _key(plan, row.id))):
            left[number] = Outcome("made", id_)  # by a process that died before it could write that down
        elif reason := hindrance(Action(plan.action), row):
            left[number] = Outcome(reason)
        elif number not in meant:
            left[number] = Outcome("changed")
        else:
            to_do.append(row)
    return left, to_do


def _key(plan: Recovery, job_id: str) -> str:
    return f"recovery {plan.id} {job_id}"


def _done(tx: Tx, plan: Recovery, numbers: Sequence[int]) -> dict[int, Outcome]:
    """Move those that can be moved here and now. What a guard refused after all was changed."""
    if not numbers:
        return {}
    moved = {row.number: row for row in _moved(tx, plan, numbers)}
    word = {Action.REQUEUE: "requeued", Action.FAIL: "failed", Action.CANCEL: "canceled", Action.RETRY: "due"}
    outcomes = {}
    for number in numbers:
        row = moved.get(number)
        if row is None:
            outcomes[number] = Outcome("changed")
        elif plan.action == Action.CANCEL and row.status != Status.CANCELED:
            outcomes[number] = Outcome("stopping")
        else:
            outcomes[number] = Outcome(word[Action(plan.action)])
    return outcomes


def _moved(tx: Tx, plan: Recovery, numbers: Sequence[int]) -> list[MovedRow]:
    said = {"recovery": plan.id, **({"message": plan.message} if plan.message else {})}
    match Action(plan.action):
        case Action.REQUEUE:
            rows = tx.all(_REQUEUE, numbers=numbers, at_now=tx.now)
            _announce(tx, rows, said, plan.message or "The operator put it back into its queue.", "requeued")
        case Action.RETRY:
            rows = tx.all(_RETRY, numbers=numbers)
            _announce(tx, rows, said, plan.message or "The operator asked for the next try now.", "retried")
        case Action.FAIL:
            text = plan.message or "The operator of this installation ended it."
            failure = error_json(FAILED_BY_OPERATOR, text)
            rows = tx.all(_FAIL, numbers=numbers, failure=failure, at_now=tx.now)
            ending.close(tx, rows, {row.number: said for row in rows})
            tx.wake(*(f"stop:{row.id}" for row in rows if row.started_at is not None))
        case Action.CANCEL:
            rows = cancel.cancel_these(tx, numbers, {"by": "operator", **said})
    return rows


def _announce(tx: Tx, rows: Sequence[MovedRow], said: Mapping[str, str], reason: str, code: str) -> None:
    events.append(
        tx,
        [
            events.NewEvent(
                row.number,
                row.id,
                row.user_id,
                row.sequence,
                EventType.REQUEUED,
                {"reason": reason, "code": code, "due_at": None, **said},
                row.callback,
            )
            for row in rows
        ],
    )
    tx.wake(*{f"queue:{row.queue}" for row in rows})


def _record(tx: Tx, plan: Recovery, outcomes: Mapping[int, Outcome]) -> Recovery | None:
    """Outcomes and their sums. The recovery, if it is done."""
    rows = [
        {"plan": plan.number, "this_job": number, "word": word, "more": detail, "at_now": tx.now}
        for number, (word, detail) in sorted(outcomes.items())
    ]
    written = tx.many(_RECORD, rows)
    counts = Counter(json.loads(plan.counts))
    counts.update(row["word"] for row, was_first in zip(rows, written, strict=True) if was_first)
    is_done = not tx.all(_LEFT, plan=plan.number)
    reached = "done" if is_done else "running"
    tallied = tx.one(_TALLY, plan=plan.number, tally=as_json(counts), reached=reached, at_now=tx.now)
    return tallied if is_done else None
