"""Retry now: a job that waits between two tries is due at once."""

from __future__ import annotations

import sqlalchemy as sa

from safelight.domain.jobs import EventType
from safelight.services import hand_back, keys
from safelight.services.moves import MOVED, MovedRow
from safelight.services.sql import arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs = tables.jobs

_RETRY = Query(
    sa.update(jobs)
    .where(
        jobs.c.id == arg("public_id"),
        jobs.c.user_id == arg("owner"),
        jobs.c.status == "pending",
        jobs.c.due_at.is_not(None),
        jobs.c.started_at.is_not(None),  # one that was never tried waits for the start time its user gave it
    )
    .values(due_at=sa.null(), ready=sa.not_(jobs.c.resumes), sequence=jobs.c.sequence + 1)
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
