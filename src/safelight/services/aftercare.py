"""Calls that outlived their job, or were given up for another: somebody must hear how they end, and what they cost.

An ended job is never settled again. Whoever takes a call here holds nothing: two that look after the same one are
guarded by the call's own state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import TERMINAL
from safelight.services.moves import NOT_OVER, picked
from safelight.services.sql import INTEGER, NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, calls = tables.jobs, tables.calls

LOOKED_AFTER_S = 24 * 3600.0
"""After this long nothing more is expected of a provider."""


class LeftCall(NamedTuple):
    """An open call nobody waits for, with what it was made from. `checks_n` counts this look too."""

    id: str
    job: int
    job_id: str
    provider: str
    remote_id: str | None
    checks_n: int
    age_s: float
    kind: str
    model: str
    prompt: str
    params: str
    outputs: int


class _Count(NamedTuple):
    n: int


class _Taken(NamedTuple):
    id: str


_is_due = sa.and_(calls.c.check_at <= NOW, NOT_OVER, calls.c.provider.in_(sa.bindparam("providers", expanding=True)))
_DUE = Query(
    sa.select(sa.func.count()).select_from(sa.select(calls.c.number).where(_is_due).limit(1).subquery()), _Count
)
_due = picked(
    sa.select(calls.c.number).where(_is_due).order_by(calls.c.check_at).limit(arg("at_most", INTEGER)), "due_calls"
)
_TAKE = Query(
    sa.update(calls)
    .where(calls.c.number.in_(sa.select(_due.c.number)))
    .values(check_at=NOW + arg("hold_s", REAL), checks_n=calls.c.checks_n + 1)
    .returning(calls.c.id),
    _Taken,
)
_LEFT = Query(
    sa.select(
        calls.c.id,
        calls.c.job,
        jobs.c.id.label("job_id"),
        calls.c.provider,
        calls.c.remote_id,
        calls.c.checks_n,
        (NOW - calls.c.sending_at).label("age_s"),
        jobs.c.kind,
        jobs.c.model,
        jobs.c.prompt,
        jobs.c.params,
        jobs.c.outputs,
    )
    .join_from(calls, jobs, calls.c.job == jobs.c.number)
    .where(
        calls.c.id.in_(sa.bindparam("taken", expanding=True)),
        sa.or_(jobs.c.status.in_(sorted(TERMINAL)), calls.c.given_up_at.is_not(None)),
    ),
    LeftCall,
)
_LATER = Change(
    sa.update(calls)
    .where(calls.c.id == arg("call_id"), NOT_OVER, calls.c.check_at.is_not(None))
    .values(check_at=NOW + arg("in_s", REAL))
)
_STOP = Change(sa.update(calls).where(calls.c.id == arg("call_id"), NOT_OVER).values(check_at=sa.null()))


def any_due(tx: Tx, providers: Sequence[str]) -> bool:
    """Whether there is a call to look after now: read before anything is written."""
    return tx.all(_DUE, providers=list(providers), at_now=tx.now)[0].n > 0


def take_due(tx: Tx, providers: Sequence[str], at_most: int, hold_s: float) -> list[LeftCall]:
    """Calls whose time has come; others leave them alone for `hold_s`."""
    taken = tx.all(_TAKE, providers=list(providers), at_most=at_most, hold_s=hold_s, at_now=tx.now)
    return tx.all(_LEFT, taken=[row.id for row in taken], at_now=tx.now) if taken else []


def look_again(tx: Tx, call_id: str, in_s: float) -> bool:
    """It is still open at the provider."""
    return tx.run(_LATER, call_id=call_id, in_s=in_s, at_now=tx.now) == 1


def stop_looking(tx: Tx, call_id: str) -> bool:
    """Nothing more is expected of it. Its state stays what is known of it."""
    return tx.run(_STOP, call_id=call_id) == 1
