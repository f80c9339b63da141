"""Recoveries: what an operator wants done with many stuck jobs at once, planned first, and stopped till it begins.

The jobs are those that are found at the time of planning, and no others. They are looked at again when the plan takes
effect (`recovery_effect.py`), by whichever process sweeps then.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.job_filter import Found, JobFilter, find, read_filter
from safelight.services.recovery_rules import Action, hindrance
from safelight.services.sql import INTEGER, NOW, REAL, arg, as_json
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

recoveries, recovery_jobs, jobs = tables.recoveries, tables.recovery_jobs, tables.jobs

MOST_JOBS = 10_000
"""In one plan: it is made in one transaction."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A plan as it is asked for."""

    action: Action
    filter: JobFilter
    message: str
    """For the users of the jobs."""
    requested_by: str
    after_s: float
    older_than_s: float | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What a plan would touch now. `untouched`: how many jobs are left alone, by reason."""

    jobs: list[Found]
    untouched: Counter[str]
    more: bool
    """There are more than one plan takes: the rest needs another."""

    @property
    def credits(self) -> int:
        return sum(job.price for job in self.jobs)

    @property
    def users(self) -> int:
        return len({job.user_id for job in self.jobs})


class Recovery(NamedTuple):
    """A plan, and how far it has come."""

    number: int
    id: str
    action: str
    filter: str
    message: str
    requested_by: str
    requested_at: float
    effective_at: float
    state: str
    jobs: int
    users: int
    credits: int
    untouched: str
    counts: str
    stopped_by: str | None
    ended_at: float | None

    @property
    def meant(self) -> JobFilter:
        return read_filter(self.filter)


class Member(NamedTuple):
    """A job of a plan, and what became of it."""

    id: str
    user_id: str
    model: str
    status: str
    price: int
    outcome: str | None
    detail: str | None
    at: float | None


class Touched(NamedTuple):
    """What a recovery has or had to do with one job."""

    id: str
    action: str
    requested_by: str
    requested_at: float
    effective_at: float
    stopped_by: str | None
    outcome: str | None
    at: float | None


ROW = tuple(recoveries.c[name] for name in Recovery._fields)
_PLAN = Query(
    sa.insert(recoveries).returning(*ROW),
    Recovery,
    columns=tuple(name for name in Recovery._fields if name not in ("number", "counts", "stopped_by", "ended_at")),
)
_COLUMNS = ("recovery", "job")
_ADD = Change(sa.insert(recovery_jobs), columns=_COLUMNS)
_BY_ID = Query(sa.select(*ROW).where(recoveries.c.id == arg("public_id")), Recovery)
_NEWEST = Query(
    sa.select(*ROW)
    .where(recoveries.c.number < arg("before", INTEGER))
    .order_by(recoveries.c.number.desc())
    .limit(arg("page_size", INTEGER)),
    Recovery,
)
_STOP = Query(
    sa.update(recoveries)
    .where(recoveries.c.id == arg("public_id"), recoveries.c.state == "planned")
    .values(state="canceled", stopped_by=arg("operator"), ended_at=sa.cast(NOW, REAL))
    .returning(*ROW),
    Recovery,
)
_OF_JOB = Query(
    sa.select(*(recoveries.c[name] for name in Touched._fields[:6]), recovery_jobs.c.outcome, recovery_jobs.c.at)
    .select_from(recovery_jobs.join(recoveries, recoveries.c.number == recovery_jobs.c.recovery))
    .where(recovery_jobs.c.job == arg("of_job", INTEGER))
    .order_by(recoveries.c.number),
    Touched,
)
_MEMBERS = Query(
    sa.select(
        *(jobs.c[name] for name in Member._fields[:5]),
        recovery_jobs.c.outcome,
        recovery_jobs.c.detail,
        recovery_jobs.c.at,
    )
    .select_from(recovery_jobs.join(jobs, jobs.c.number == recovery_jobs.c.job))
    .where(recovery_jobs.c.recovery == arg("plan", INTEGER))
    .order_by(recovery_jobs.c.job)
    .limit(arg("page_size", INTEGER)),
    Member,
)


def of_job(tx: Tx, job: int) -> list[Touched]:
    """The recoveries that were planned for a job, by its number, oldest first."""
    return tx.all(_OF_JOB, of_job=job)


def survey(tx: Tx, wanted: Wanted, *, whole: bool = False) -> Survey:
    """What the plan would do now. Changes nothing. `whole`: a user's own jobs, as their list has them."""
    meant = _meant(tx, wanted)
    rows = find(tx, meant, MOST_JOBS + 1, whole=whole)
    more = len(rows) > MOST_JOBS
    touched, untouched = list[Found](), Counter[str]()
    for row in rows[:MOST_JOBS]:
        reason = "planned" if row.planned and not whole else hindrance(wanted.action, row)
        if reason:
            untouched[reason] += 1
        else:
            touched.append(row)
    return Survey(touched, untouched, more)


def plan(tx: Tx, wanted: Wanted, recovery_id: str) -> tuple[Recovery | None, Survey]:
    """Write the plan down, with the jobs it is for. None where there are none to be touched."""
    found = survey(tx, wanted)
    if not found.jobs:
        return None, found
    now = tx.now
    (made,) = tx.many(
        _PLAN,
        [
            {
                "id": recovery_id,
                "action": str(wanted.action),
                "filter": _meant(tx, wanted).stored(),
                "message": wanted.message,
                "requested_by": wanted.requested_by,
                "requested_at": now,
                "effective_at": now + wanted.after_s,
                "state": "planned",
                "jobs": len(found.jobs),
                "users": found.users,
                "credits": found.credits,
                "untouched": as_json(found.untouched),
            }
        ],
    )
    if made is None:
        raise AssertionError("an INSERT of one row gives one row")
    tx.many(_ADD, [{"recovery": made.number, "job": number} for number in sorted(job.number for job in found.jobs)])
    return made, found


def stop(tx: Tx, recovery_id: str, operator: str) -> Recovery | None:
    """Give a plan up before it takes effect. None if there is none, or it has begun."""
    return tx.one(_STOP, public_id=recovery_id, operator=operator, at_now=tx.now)


def recovery(tx: Tx, recovery_id: str) -> Recovery | None:
    """A plan by its id."""
    return tx.one(_BY_ID, public_id=recovery_id)


def newest(tx: Tx, before: int, limit: int) -> tuple[list[Recovery], int | None]:
    """Plans, the newest first, and the number to go on before, if there are more."""
    rows = tx.all(_NEWEST, before=before, page_size=limit + 1)
    return rows[:limit], rows[limit - 1].number if len(rows) > limit else None


def members(tx: Tx, plan: int, limit: int) -> list[Member]:
    """Jobs of a plan that are still there, oldest first."""
    return tx.all(_MEMBERS, plan=plan, page_size=limit)


def _meant(tx: Tx, wanted: Wanted) -> JobFilter:
    return wanted.filter.older_than(wanted.older_than_s, tx.now).bounded(tx.now)
