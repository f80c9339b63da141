"""What the moves of a job have in common as SQL: where they start, where they end, and the row they leave behind."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import TERMINAL, Move, Status
from safelight.services.sql import INTEGER, NOW, arg
from safelight.store.tables import calls, jobs


class MovedRow(NamedTuple):
    """A job as a guarded UPDATE left it."""

    number: int
    id: str
    user_id: str
    account: int
    queue: str
    status: str
    price: int
    captured: int
    share: float
    vstart: float
    sequence: int
    started_at: float | None
    due_at: float | None
    parent: int | None
    """The number of its batch."""
    callback: str | None
    kind: str
    error: str | None
    """As JSON, of a job that failed."""


MOVED: Final = tuple(jobs.c[name] for name in MovedRow._fields)


def leaves(move: Move) -> sa.ColumnElement[bool]:
    """The job is where this move starts."""
    if len(move.source) == 1:
        (source,) = move.source
        return jobs.c.status == str(source)
    return jobs.c.status.in_(sorted(move.source))


def reaches(move: Move) -> sa.ColumnElement[Any]:
    """The status in which this move ends."""
    return sa.literal(str(move.target))


IN_ORDER = (jobs.c.priority.desc(), jobs.c.vstart, jobs.c.number)
"""Whose turn comes first in a queue, as the claim index has it."""


def picked(rows: sa.Select[Any], name: str) -> sa.CTE:
    """Rows to change, locked, without those that somebody else is changing.

    `MATERIALIZED`, because Postgres may otherwise pick again for every row it updates.
    """
    return rows.with_for_update(skip_locked=True).cte(name).prefix_with("MATERIALIZED")


def still(status: Status) -> sa.ColumnElement[bool]:
    """A job that is found by something else has this status, written so that no index of all such jobs offers itself.

    Postgres would take one, and walk through every running job, where it remembers a time at which there were none.
    """
    return jobs.c.status.concat("") == str(status)


LEASE_HOLDS: Final = sa.and_(
    jobs.c.number == arg("job", INTEGER),
    jobs.c.fence == arg("held_fence", INTEGER),
    still(Status.PROCESSING),
)
"""The guard of every move a worker makes: the job is still the one it claimed."""

ENDED: Final = {
    jobs.c.settled: sa.true(),
    jobs.c.ready: sa.false(),
    jobs.c.resumes: sa.false(),
    jobs.c.waiting_for: sa.null(),
    jobs.c.due_at: sa.null(),
    jobs.c.worker_id: sa.null(),
    jobs.c.finished_at: NOW,
    jobs.c.fence: jobs.c.fence + 1,
    jobs.c.sequence: jobs.c.sequence + 1,
}
"""What every ending writes beside its status."""

NOT_OVER: Final = calls.c.state.in_(["sending", "accepted", "unknown"])
"""A call that may still cost money or deliver."""

OPEN_CALL: Final = sa.and_(NOT_OVER, calls.c.given_up_at.is_(None))
"""A call that its job waits for: not one that was given up for another."""

HAS_OPEN_CALL: Final = sa.exists().where(calls.c.job == jobs.c.number, OPEN_CALL).correlate(jobs)

JOB_HAS_ENDED: Final = (
    sa.exists().where(jobs.c.number == calls.c.job, jobs.c.status.in_(sorted(TERMINAL))).correlate(calls)
)
"""Of a call: its job is over, and somebody must look after it."""
