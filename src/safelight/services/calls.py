"""The record of every provider call: written before a byte leaves, moved by whoever learns more.

Opening a call needs the job's lease. Every later move is guarded only by the call's own state: what a
worker learns about money spent is recorded even when the job has long been taken from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.gates import Shut, Toll
from safelight.domain.jobs import Stage
from safelight.services import gate_rows, gates, spend
from safelight.services.gates import Passage
from safelight.services.moves import JOB_HAS_ENDED, LEASE_HOLDS, NOT_OVER, OPEN_CALL
from safelight.services.sql import INTEGER, NOW, REAL, arg
from safelight.store import tables
from safelight.store.calls import batch
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

jobs, calls = tables.jobs, tables.calls


class Sending(NamedTuple):
    """About to make one call for a claimed job."""

    call_id: str
    job: int
    fence: int
    attempt: int
    provider: str
    model: str
    repeatable: bool
    worker_id: str
    estimate_usd: float | None = None
    """What it will cost, as far as the catalog knows."""
    toll: Toll | None = None
    """The gate that it has to pass; None where there is none, as for built-in providers."""


class Accepted(NamedTuple):
    """A provider took a call and named it."""

    call_id: str
    remote_id: str


class CallOutcome(NamedTuple):
    """How a call ended: `succeeded`, `failed`, or `unknown` when it may or may not have been accepted."""

    call_id: str
    state: str
    cost_usd: float | None = None
    error: str | None = None
    request_id: str | None = None
    """The provider's own name for the request."""
    provider: str | None = None
    """Where it was made, if whoever says this knows: so that nobody has to look it up."""


class OpenCall(NamedTuple):
    """`unknown_s`: for how many seconds nobody has known whether it was accepted."""

    id: str
    job: int
    provider: str
    state: str
    remote_id: str | None
    repeatable: bool
    text: str | None
    """What it wrote, where its worker had lost the job before it could be delivered."""
    charge: int | None
    """What that text costs its user by its use, in credits, where it is priced so."""
    cut_short: bool
    unknown_s: float


class _Held(NamedTuple):
    number: int
    id: str


class _State(NamedTuple):
    state: str


class _Unpaid(NamedTuple):
    id: str
    provider: str
    sending_at: float
    cost_usd: float


class OpenCallExists(Exception):
    """A call was to be opened beside an open one: a bug, which the database has stopped."""


_HOLD_LEASE = Query(
    sa.update(jobs)
    .where(LEASE_HOLDS, jobs.c.cancel_requested_at.is_(None))
    .values(stage=sa.literal(str(Stage.RUNNING)), sequence=jobs.c.sequence + 1)
    .returning(jobs.c.number, jobs.c.id),
    _Held,
)
_SUPERSEDE = Change(
    sa.update(calls)
    .where(
        calls.c.job == arg("job", INTEGER),
        calls.c.id != arg("new_call"),
        calls.c.repeatable,
        calls.c.state == "sending",
    )
    .values(state=sa.literal("failed"), error=sa.literal("superseded"), ended_at=NOW)
)
_COLUMNS = ("id", "job", "attempt", "provider", "model", "repeatable", "state", "worker_id", "sending_at", "cost_usd")
_OPEN = Change(insert_or_ignore(calls, _COLUMNS), columns=_COLUMNS)
_STATE = Query(sa.select(calls.c.state).where(calls.c.id == arg("call_id")), _State)
_ACCEPT = Change(
    sa.update(calls)
    .where(calls.c.id == arg("call_id"), calls.c.state.in_(["sending", "unknown"]))
    .values(
        state=sa.literal("accepted"),
        remote_id=arg("remote"),
        accepted_at=NOW,
        checks_n=sa.literal(0),  # only now can its provider be told to stop, which the first look does
        # Of an ended job, or given up: whoever looks after it has something to ask for now, also after the day is over.
        check_at=sa.case(
            (sa.or_(JOB_HAS_ENDED, calls.c.given_up_at.is_not(None)), sa.cast(NOW, REAL)), else_=sa.null()
        ),
    )
)
_KNOWN = Query(sa.select(calls.c.state).where(calls.c.id == arg("call_id"), calls.c.remote_id == arg("remote")), _State)
_is_unknown = arg("outcome") == "unknown"
_END = Change(
    sa.update(calls)
    .where(
        calls.c.id == arg("call_id"),
        NOT_OVER,
        # What was accepted never becomes unknown again: its remote id is known.
        sa.or_(arg("outcome") != "unknown", calls.c.state == "sending"),
    )
    .values(
        state=arg("outcome"),
        cost_usd=sa.case(
            (arg("cost", REAL).is_not(None), arg("cost", REAL)),
            (sa.and_(arg("outcome") == "failed", calls.c.accepted_at.is_(None)), 0.0),
            else_=calls.c.cost_usd,
        ),
        error=arg("failure"),
        provider_request_id=sa.func.coalesce(arg("request_id"), calls.c.provider_request_id),
        unknown_at=sa.case((_is_unknown, sa.cast(NOW, REAL)), else_=calls.c.unknown_at),
        check_at=sa.case((_is_unknown, calls.c.check_at), else_=sa.null()),
        ended_at=sa.case((_is_unknown, sa.null()), else_=sa.cast(NOW, REAL)),
    )
)
_UNPAID = Query(
    sa.select(calls.c.id, calls.c.provider, calls.c.sending_at, calls.c.cost_usd).where(
        calls.c.id.in_(sa.bindparam("ids", expanding=True)),
        NOT_OVER,
        calls.c.accepted_at.is_(None),
        calls.c.cost_usd > 0,
    ),
    _Unpaid,
)
_OPEN_OF_JOB = Query(
    sa.select(
        calls.c.id,
        calls.c.job,
        calls.c.provider,
        calls.c.state,
        calls.c.remote_id,
        calls.c.repeatable,
        calls.c.text,
        calls.c.charge,
        calls.c.cut_short,
        (NOW - sa.func.coalesce(calls.c.unknown_at, NOW)).label("unknown_s"),
    ).where(calls.c.job == arg("for_job", INTEGER), OPEN_CALL),
    OpenCall,
)


@batch
def sending(tx: Tx, starts: Sequence[Sending]) -> list[bool | Shut]:
    """Record that a call is about to be made. Where it is not True, nothing may be sent: False where the lease no
    longer holds or the job is to be canceled, Shut where its gate lets nothing through now.

    The guard is an UPDATE of the job, so that it is locked against a sweep until this commits. Running it twice with
    the same ids (a commit whose outcome was lost) opens one call. A repeatable call that an earlier worker left is
    closed; beside any other open call OpenCallExists is raised.
    """
    tolls = [s.toll for s in starts if s.toll]
    locked = gate_rows.locked(tx, tolls) if tolls else {}
    held = tx.many(_HOLD_LEASE, [{"job": s.job, "held_fence": s.fence} for s in starts])
    ours = [s for s, row in zip(starts, held, strict=True) if row]
    passages = [Passage(s.call_id, s.toll, s.estimate_usd or 0.0) for s in ours if s.toll]
    shut = gates.admit(tx, locked, passages) if passages else {}
    first = [s for s in ours if s.call_id not in shut]
    in_the_way = _open(tx, first)
    tx.many(_SUPERSEDE, [{"job": s.job, "new_call": s.call_id, "at_now": tx.now} for s in in_the_way])
    for s in _open(tx, in_the_way):
        if tx.one(_STATE, call_id=s.call_id) is None:
            raise OpenCallExists(f"job {s.job} has an open call: {s.call_id} cannot be opened beside it")
    tx.wake(*(f"job:{row.id}" for s, row in zip(starts, held, strict=True) if row and s.call_id not in shut))
    return [shut.get(s.call_id, True) if row else False for s, row in zip(starts, held, strict=True)]


def _open(tx: Tx, starts: Sequence[Sending]) -> list[Sending]:
    """Those whose call could not be opened: there is an open one, or this very one."""
    opened = tx.many(_OPEN, [_call_row(s, tx.now) for s in starts])
    return [s for s, is_new in zip(starts, opened, strict=True) if not is_new]


def _call_row(s: Sending, now: float) -> dict[str, object]:
    return {
        "id": s.call_id,
        "job": s.job,
        "attempt": s.attempt,
        "provider": s.provider,
        "model": s.model,
        "repeatable": s.repeatable,
        "state": "sending",
        "worker_id": s.worker_id,
        "sending_at": now,
        "cost_usd": s.estimate_usd,
    }


@batch
def accepted(tx: Tx, news: Sequence[Accepted]) -> list[bool]:
    """Providers took calls and named them. Recorded whoever holds the jobs by now.

    True also where the same name was recorded before; False where the call is over, or has another name.
    """
    gates.trials_went_well(tx, [n.call_id for n in news])
    moved = tx.many(_ACCEPT, [{"call_id": n.call_id, "remote": n.remote_id, "at_now": tx.now} for n in news])
    others = [n for n, took in zip(news, moved, strict=True) if not took]
    known = tx.many(_KNOWN, [{"call_id": n.call_id, "remote": n.remote_id} for n in others])
    names = {n.call_id for n, row in zip(others, known, strict=True) if row and row.state == "accepted"}
    return [took or n.call_id in names for n, took in zip(news, moved, strict=True)]


@batch
def end_call(tx: Tx, outcomes: Sequence[CallOutcome]) -> list[bool]:
    """Record how calls ended, in input order; False where that was known already.

    One that its provider did not accept is taken off the provider's day again, and what was shut for it opens.
    """
    unpaid = {row.id: row for row in _unpaid(tx, outcomes)}
    gates_there = gate_rows.locked_at(tx, (row.provider for row in unpaid.values()))
    ended = tx.many(_END, _end_values(tx, outcomes))
    free = [unpaid[o.call_id] for o, is_new in zip(outcomes, ended, strict=True) if is_new and o.call_id in unpaid]
    spend.give_back(tx, ((row.provider, row.sending_at, row.cost_usd) for row in free))
    cheaper = {row.provider for row in free}
    gates.given_back(tx, (gate for gate in gates_there.values() if gate.provider in cheaper))
    return ended


def lock_gates(tx: Tx, outcomes: Iterable[CallOutcome]) -> None:
    """Before jobs are locked whose calls end like this: `sending` takes gates first too, so nobody deadlocks."""
    gate_rows.locked_at(tx, (row.provider for row in _unpaid(tx, outcomes)))


def _unpaid(tx: Tx, outcomes: Iterable[CallOutcome]) -> list[_Unpaid]:
    """Calls that count towards their provider's day now, and will not when they have ended."""
    refused = [o.call_id for o in outcomes if o.state == "failed" and not o.cost_usd]
    return tx.all(_UNPAID, ids=refused) if refused else []


def _end_values(tx: Tx, outcomes: Sequence[CallOutcome]) -> list[dict[str, object]]:
    now = tx.now
    return [
        {
            "call_id": o.call_id,
            "outcome": o.state,
            "cost": o.cost_usd,
            "failure": o.error,
            "request_id": o.request_id,
            "at_now": now,
        }
        for o in outcomes
    ]


def open_call_of(tx: Tx, job: int) -> OpenCall | None:
    """The one open call of a job, if any."""
    return tx.one(_OPEN_OF_JOB, for_job=job, at_now=tx.now)
