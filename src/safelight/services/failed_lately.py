"""The last jobs that failed, as a stranger may see them: how and where, nothing of what was asked for or by whom."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from safelight.domain.clock import as_rfc3339
from safelight.store.statements import Query
from safelight.store.tables import jobs
from safelight.store.tx import Tx

MOST: Final = 50
TOLD: Final = ("code", "provider", "provider_code", "retryable")
"""Of an error. Messages may quote prompts."""


class _Failed(NamedTuple):
    id: str
    user_id: str
    kind: str
    model: str
    queue: str
    attempt: int
    lost_n: int
    created_at: float
    started_at: float | None
    finished_at: float
    error: str | None


_FAILED = Query(
    sa.select(*(jobs.c[name] for name in _Failed._fields))
    .where(jobs.c.finished_at.is_not(None), jobs.c.status == "failed")
    .order_by(jobs.c.finished_at.desc())
    .limit(MOST),
    _Failed,
)


def failed_lately(tx: Tx) -> list[dict[str, Any]]:
    """The newest first. Users are the first digits of a hash: enough to see whether it is always the same one."""
    return [_told(job) for job in tx.all(_FAILED)]


def _told(job: _Failed) -> dict[str, Any]:
    error = json.loads(job.error) if job.error else {}
    return {
        "id": job.id,
        "user": hashlib.sha256(job.user_id.encode()).hexdigest()[:12],
        "kind": job.kind,
        "model": job.model,
        "queue": job.queue,
        "attempt": job.attempt,
        "lost_n": job.lost_n,
        "created_at": as_rfc3339(job.created_at),
        "started_at": as_rfc3339(job.started_at) if job.started_at else None,
        "finished_at": as_rfc3339(job.finished_at),
        "error": {name: error.get(name) for name in TOLD},
    }
