"""Append to the event log of a job, wake whoever watches it, and note whom to tell by webhook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import EventType
from safelight.services import deliveries
from safelight.services.deliveries import NewDelivery
from safelight.services.sql import as_json
from safelight.store import tables
from safelight.store.statements import Change
from safelight.store.tx import Tx

_INSERT = Change(sa.insert(tables.events), columns=("job", "sequence", "type", "payload", "at"))


class NewEvent(NamedTuple):
    """One event; `sequence` is the one the job's row took in the same transaction."""

    job: int
    job_id: str
    user_id: str
    sequence: int
    type: EventType
    payload: Mapping[str, Any]
    callback: str | None = None
    """Where the job's row says that it is to be told; None also for what only admins may know."""


def append(tx: Tx, events: Sequence[NewEvent]) -> None:
    """Store events, with the deliveries to callbacks, and tell the watchers of these jobs after the commit."""
    if not events:
        return
    now = tx.now
    tx.many(
        _INSERT,
        [
            {"job": e.job, "sequence": e.sequence, "type": str(e.type), "payload": as_json(e.payload), "at": now}
            for e in events
        ],
    )
    deliveries.plan(
        tx, [NewDelivery(e.job, e.job_id, e.sequence, str(e.type), e.callback) for e in events if e.callback]
    )
    tx.wake(*(f"job:{e.job_id}" for e in events), *{f"user:{e.user_id}" for e in events})
