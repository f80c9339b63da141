"""Which jobs can be claimed, and the one UPDATE that claims them, for each way of choosing."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import CLAIM, Stage
from safelight.services.moves import IN_ORDER, OPEN_CALL, picked, reaches
from safelight.services.sql import INTEGER, NOW, arg
from safelight.store import tables
from safelight.store.statements import Change, Query

jobs, calls = tables.jobs, tables.calls

SUSPECT_AFTER = 2
"""A job that was running when so many workers were lost may be what ended them: it takes no neighbours along."""


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
    inputs: str
    terms: str | None
    """The price as JSON, where what is paid depends on use; as it was when the job was submitted."""
    outputs: int
    priority: int
    fence: int
    attempt: int
    max_attempts: int
    lost_n: int
    sequence: int
    vstart: float
    cancel_requested_at: float | None
    request_id: str | None
    created_at: float
    start_at: float
    claimed_at: float
    parent: int | None
    callback: str | None
    resumed_call: str | None
    """The call of an earlier job whose result this one fetches; it makes no call of its own."""
    seconds_left: float
    resumes: bool
    """Whether it may have come with an open call."""

    @property
    def is_suspect(self) -> bool:
        return self.lost_n >= SUSPECT_AFTER


class Candidate(NamedTuple):
    """A job that may be claimed, locked."""

    number: int
    user_id: str


class Suspect(NamedTuple):
    """A job that may be what ended its workers, locked."""

    number: int
    queue: str
    lost_n: int


class Count(NamedTuple):
    n: int


def _claim_where(chosen: Any, *, resumes: bool) -> Query[ClaimedJob]:
    first = jobs.c.started_at.is_(None)
    run_until = NOW + jobs.c.run_limit_s
    deadline = sa.case((sa.and_(first, run_until < jobs.c.deadline_at), run_until), else_=jobs.c.deadline_at)
    claimed = (
        sa.update(jobs)
        .where(chosen)
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
            first_deadline_at=sa.case((first, jobs.c.deadline_at), else_=jobs.c.first_deadline_at),
            deadline_at=deadline,
        )
    )
    columns = [jobs.c[name] for name in ClaimedJob._fields if name not in ("seconds_left", "resumes")]
    return Query(claimed.returning(*columns, jobs.c.deadline_at - NOW, sa.literal(resumes)), ClaimedJob)


def _claim_picked(rows: sa.Select[Any], name: str, *, resumes: bool) -> Query[ClaimedJob]:
    return _claim_where(jobs.c.number.in_(sa.select(picked(rows, name).c.number)), resumes=resumes)


_providers: sa.BindParameter[str] = sa.bindparam("providers", expanding=True)
_runnable = sa.or_(
    sa.and_(
        jobs.c.model.in_(sa.bindparam("models", expanding=True)),
        sa.or_(jobs.c.provider_pin.is_(None), jobs.c.provider_pin.in_(sa.bindparam("pins", expanding=True))),
    ),
    # One that only fetches what an earlier call made passes no gate.
    sa.and_(jobs.c.resumed_call.is_not(None), jobs.c.model.in_(sa.bindparam("known", expanding=True))),
)
_call_is_ours = sa.func.coalesce(
    sa.select(calls.c.provider.in_(_providers))
    .where(calls.c.job == jobs.c.number, OPEN_CALL)
    .limit(1)
    .correlate(jobs)
    .scalar_subquery(),
    sa.true(),
)
"""Of a job that resumes: whether its open call is at one of these providers. It may be over by now."""
_is_due = sa.or_(jobs.c.due_at.is_(None), jobs.c.due_at <= NOW)
_suspect = sa.and_(jobs.c.lost_n >= SUSPECT_AFTER, jobs.c.status == "pending")
_SUSPECT = tuple(jobs.c[name] for name in Suspect._fields)
RESERVED = Query(
    sa.select(*_SUSPECT)
    .where(
        jobs.c.waiting_for == arg("reason"),
        sa.or_(jobs.c.resumes, jobs.c.queue.in_(sa.bindparam("open_lines", expanding=True))),
    )
    .order_by(jobs.c.queue, *IN_ORDER)  # as the index has it: among very many parked jobs Postgres would read them all
    .limit(1)
    .with_for_update(),
    Suspect,
)
RESERVE = Change(
    sa.update(jobs).where(jobs.c.number == arg("job", INTEGER)).values(ready=sa.false(), waiting_for=arg("reason"))
)
CLAIM_SUSPECTS = _claim_where(jobs.c.number.in_(sa.bindparam("numbers", expanding=True)), resumes=True)
CLAIM_THESE = _claim_where(jobs.c.number.in_(sa.bindparam("numbers", expanding=True)), resumes=False)


def _resumes(chooses: bool) -> Query[ClaimedJob]:
    of_queue = (jobs.c.queue == arg("line"), jobs.c.resumes, _is_due, jobs.c.lost_n < SUSPECT_AFTER)
    rows = sa.select(jobs.c.number).where(*of_queue, *((_call_is_ours,) if chooses else ()))
    return _claim_picked(rows.order_by(jobs.c.number).limit(arg("slots", INTEGER)), "resumes", resumes=True)


def _suspects(chooses: bool) -> Query[Suspect]:
    ready = sa.and_(jobs.c.ready, sa.not_(arg("paused", sa.Boolean())), *((_runnable,) if chooses else ()))
    resumes = sa.and_(jobs.c.resumes, *((_call_is_ours,) if chooses else ()))
    return Query(
        sa.select(*_SUSPECT)
        .where(
            jobs.c.queue == arg("line"),
            _suspect,
            jobs.c.lost_n >= arg("least_lost", INTEGER),
            jobs.c.waiting_for.is_(None),
            _is_due,
            sa.or_(resumes, ready),
        )
        .order_by(jobs.c.lost_n.desc(), jobs.c.number)
        .limit(arg("at_most", INTEGER))
        .with_for_update(skip_locked=True),
        Suspect,
    )


SUSPECTS_ALIKE = Query(
    sa.select(sa.func.count()).where(
        jobs.c.queue == arg("line"), _suspect, jobs.c.lost_n == arg("times_lost", INTEGER)
    ),
    Count,
)


@cache
def _ready(chooses: bool) -> sa.Select[Any]:
    """Ready jobs in order. `chooses`: only of models that the worker can run; the others are left to other workers."""
    rows = sa.select(jobs.c.number).where(jobs.c.queue == arg("line"), jobs.c.ready, jobs.c.lost_n < SUSPECT_AFTER)
    return (rows.where(_runnable) if chooses else rows).order_by(*IN_ORDER).limit(arg("slots", INTEGER))


RESUMES = {chooses: _resumes(chooses) for chooses in (False, True)}
"""Jobs with an open call go first, past any pause and cap: their provider is already working."""
SUSPECTS = {chooses: _suspects(chooses) for chooses in (False, True)}
READY = {chooses: _claim_picked(_ready(chooses), "picked", resumes=False) for chooses in (False, True)}
CANDIDATES = {
    chooses: Query(_ready(chooses).add_columns(jobs.c.user_id).with_for_update(skip_locked=True), Candidate)
    for chooses in (False, True)
}
