"""Retry now: a job that waits between two tries is due at once."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from safelight.domain.jobs import EventType, Status
from safelight.services import hand_back, keys
from safelight.services.moves import MOVED, MovedRow, still
from safelight.services.sql import arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs = tables.jobs

CAN_BE_DUE: Final = sa.and_(
    still(Status.PENDING),
    sa.func.coalesce(jobs.c.due_at, 0.0) != 0.0,  # plain, it would offer the index of all that is not due yet
    jobs.c.started_at.is_not(None),  # one that was never tried waits for the start time its user gave it
)
"""It waits between two tries."""
DUE: Final = {jobs.c.due_at: sa.null(), jobs.c.ready: sa.not_(jobs.c.resumes), jobs.c.sequence: jobs.c.sequence + 1}
"""What makes it due at once."""
_RETRY = Query(
    sa.update(jobs)
    .where(jobs.c.id == arg("public_id"), jobs.c.user_id == arg("owner"), CAN_BE_DUE)
    .values(DUE)
    .returning(*MOVED),
    MovedRow,
)


def retry_now(tx: Tx, job_id: str, user_id: str, key: str | None = None, request_hash: str = "") -> bool:
    """Whether it was waiting between two tries; now it is due. Also where the same key has asked for that before."""
    if key is not None and keys.stands_for(tx, user_id, key, request_hash, job_id):
        return True
    row = tx.one(_RETRY, public_id=job_id, owner=user_id)
    if row is None:
        return False
    if key is not None:
        keys.keep(tx, user_id, key, request_hash, job_id)
    hand_back.announce(tx, [row], EventType.REQUEUED, reason="Its user asked for the next try now.", code="retried")
    return True
