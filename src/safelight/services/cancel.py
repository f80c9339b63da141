"""Cancel: one UPDATE over both live states. A waiting job ends at once; a running one is flagged for its worker."""

from __future__ import annotations

from typing import Literal, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import CANCEL, LIVE, EventType, Status
from safelight.services import ending, events
from safelight.services.moves import ENDED, MOVED, MovedRow, leaves, reaches
from safelight.services.sql import NOW, arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs = tables.jobs

Was = Literal["pending", "processing", "ended"]


class _StatusRow(NamedTuple):
    status: str


_idle = sa.and_(jobs.c.status == "pending", sa.not_(jobs.c.resumes))
_OWN = (jobs.c.id == arg("public_id"), jobs.c.user_id == arg("owner"))
_CANCEL = Query(
    sa.update(jobs)
    .where(*_OWN, sa.or_(_idle, sa.and_(leaves(CANCEL), jobs.c.cancel_requested_at.is_(None))))
    .values(
        {
            **{column: sa.case((_idle, ended), else_=column) for column, ended in ENDED.items()},
            jobs.c.sequence: jobs.c.sequence + 1,
            jobs.c.status: sa.case((_idle, reaches(CANCEL)), else_=jobs.c.status),
            jobs.c.cancel_requested_at: sa.func.coalesce(jobs.c.cancel_requested_at, NOW),
        }
    )
    .returning(*MOVED),
    MovedRow,
)
_STATUS = Query(sa.select(jobs.c.status).where(*_OWN), _StatusRow)


def cancel(tx: Tx, job_id: str, user_id: str) -> Was | None:
    """Ask for a job to end. Returns what it was, or None if the user has no such job.

    "processing" means that the flag is set and the worker will stop it, unless it delivers first.
    """
    row = tx.one(_CANCEL, public_id=job_id, owner=user_id, at_now=tx.now)
    if row is None:
        return _unchanged(tx, job_id, user_id)
    if row.status == Status.CANCELED:
        ending.close(tx, [row], {row.number: {"by": "user"}})
        return "pending"
    event = events.NewEvent(row.number, row.id, row.user_id, row.sequence, EventType.CANCEL_REQUESTED, {})
    events.append(tx, [event])
    tx.wake(f"queue:{row.queue}")
    return "processing"


def _unchanged(tx: Tx, job_id: str, user_id: str) -> Was | None:
    row = tx.one(_STATUS, public_id=job_id, owner=user_id)
    if row is None:
        return None
    return "processing" if row.status in LIVE else "ended"
