"""Cancel: one UPDATE over both live states. A waiting job ends at once; a running one is flagged for its worker.

A batch is only flagged here: `batches.py` then cancels its items, and it ends with the last of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import CANCEL, LIVE, EventType, Status
from safelight.services import ending, events
from safelight.services.moves import ENDED, MOVED, MovedRow, leaves, reaches
from safelight.services.sql import NOW, arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs = tables.jobs

BY_USER: Final = {"by": "user"}
Was = Literal["pending", "processing", "ended"]


class _StatusRow(NamedTuple):
    status: str


_idle = sa.and_(jobs.c.status == "pending", sa.not_(jobs.c.resumes), jobs.c.kind != "batch")
CAN_BE_CANCELED: Final = sa.or_(_idle, sa.and_(leaves(CANCEL), jobs.c.cancel_requested_at.is_(None)))
"""It ends at once, or can be flagged."""
CANCELED: Final = {
    **{column: sa.case((_idle, ended), else_=column) for column, ended in ENDED.items()},
    jobs.c.sequence: jobs.c.sequence + 1,
    jobs.c.status: sa.case((_idle, reaches(CANCEL)), else_=jobs.c.status),
    jobs.c.cancel_requested_at: sa.func.coalesce(jobs.c.cancel_requested_at, NOW),
}
"""What canceling writes, whichever of the two it is."""
_OWN = (jobs.c.id == arg("public_id"), jobs.c.user_id == arg("owner"))
_CANCEL = Query(sa.update(jobs).where(*_OWN, CAN_BE_CANCELED).values(CANCELED).returning(*MOVED), MovedRow)
_numbers: sa.BindParameter[int] = sa.bindparam("numbers", expanding=True)
_CANCEL_THESE = Query(
    sa.update(jobs).where(jobs.c.number.in_(_numbers), CAN_BE_CANCELED).values(CANCELED).returning(*MOVED), MovedRow
)
_STATUS = Query(sa.select(jobs.c.status).where(*_OWN), _StatusRow)


def cancel(tx: Tx, job_id: str, user_id: str) -> Was | None:
    """Ask for a job to end. Returns what it was, or None if the user has no such job.

    "processing" means that the flag is set and the worker will stop it, unless it delivers first. So does "pending" of
    a batch: none of its items was running.
    """
    row = tx.one(_CANCEL, public_id=job_id, owner=user_id, at_now=tx.now)
    if row is None:
        return _unchanged(tx, job_id, user_id)
    announce(tx, [row])
    waits = row.status == Status.CANCELED or (row.status == Status.PENDING and not row.queue)
    return "pending" if waits else "processing"


def cancel_these(tx: Tx, numbers: Sequence[int], said: Mapping[str, str] = BY_USER) -> list[MovedRow]:
    """Ask for many to end, by their numbers. Those that can no longer be canceled are not among the rows."""
    tx.lock(jobs, numbers)
    rows = tx.all(_CANCEL_THESE, numbers=numbers, at_now=tx.now)
    announce(tx, rows, said)
    return rows


def announce(tx: Tx, rows: Sequence[MovedRow], said: Mapping[str, str] = BY_USER) -> None:
    """Close those that ended; say of the others that they were flagged, and wake their workers.

    `said` is told of each: by whom, and what else there is to tell its user.
    """
    ended = [row for row in rows if row.status == Status.CANCELED]
    flagged = [row for row in rows if row.status != Status.CANCELED]
    ending.close(tx, ended, {row.number: said for row in ended})
    more = {} if said is BY_USER else said
    events.append(
        tx,
        [
            events.NewEvent(r.number, r.id, r.user_id, r.sequence, EventType.CANCEL_REQUESTED, more, r.callback)
            for r in flagged
        ],
    )
    tx.wake(*(f"stop:{row.id}" for row in flagged), *{f"queue:{row.queue}" for row in flagged if row.queue})


def _unchanged(tx: Tx, job_id: str, user_id: str) -> Was | None:
    row = tx.one(_STATUS, public_id=job_id, owner=user_id)
    if row is None:
        return None
    return "processing" if row.status in LIVE else "ended"
