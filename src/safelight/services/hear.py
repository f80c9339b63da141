"""Hear from a provider by itself, as by a webhook: the news are put on the call, and its holder is woken.

It never ends a job: whoever holds the job, or looks after the call, asks the provider and decides.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import TERMINAL
from safelight.services.calls import Accepted, accepted
from safelight.services.gates import trials_went_well
from safelight.services.moves import NOT_OVER
from safelight.services.sql import INTEGER, NOW, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, calls = tables.jobs, tables.calls


class News(NamedTuple):
    """A provider says something of a call: by our id if it carries that, else by its own."""

    provider: str
    remote_id: str
    call_id: str | None = None


class _Call(NamedTuple):
    id: str
    job: int


class _Job(NamedTuple):
    id: str
    queue: str
    status: str


_COLUMNS = (calls.c.id, calls.c.job)
_OURS = Query(
    sa.select(*_COLUMNS).where(calls.c.id == arg("call_id"), calls.c.provider == arg("sender")),
    _Call,
)
_THEIRS = Query(
    sa.select(*_COLUMNS)
    .where(calls.c.remote_id == arg("remote"), calls.c.provider == arg("sender"))
    .order_by(calls.c.number.desc())
    .limit(1),
    _Call,
)
_JOB = Query(
    sa.select(jobs.c.id, jobs.c.queue, jobs.c.status).where(jobs.c.number == arg("of_job", INTEGER)).with_for_update(),
    _Job,
)
_RESUME_NOW = Change(
    sa.update(jobs).where(jobs.c.number == arg("of_job", INTEGER), jobs.c.resumes).values(due_at=sa.null())
)
_CHECK_NOW = Change(sa.update(calls).where(calls.c.id == arg("call_id"), NOT_OVER).values(check_at=NOW))


def hear(tx: Tx, news: News) -> bool:
    """Record the remote id and make the call due now; False if no call of that provider has either id."""
    call = _find(tx, news)
    if call is None:
        return False
    trials_went_well(tx, [call.id])
    job = tx.one(_JOB, of_job=call.job)  # locked after the gate and before its call, as everywhere
    accepted(tx, [Accepted(call.id, news.remote_id)])
    if job is None or job.status in TERMINAL:
        tx.run(_CHECK_NOW, call_id=call.id, at_now=tx.now)
        tx.wake("calls")
    else:
        tx.run(_RESUME_NOW, of_job=call.job)
        tx.wake(f"call:{call.id}", f"queue:{job.queue}")
    return True


def _find(tx: Tx, news: News) -> _Call | None:
    if news.call_id is not None:
        return tx.one(_OURS, call_id=news.call_id, sender=news.provider)
    return tx.one(_THEIRS, remote=news.remote_id, sender=news.provider)
