"""Since when jobs have waited: not from their submit, but from when they could be started at last."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import sqlalchemy as sa

from safelight.domain.jobs import EventType
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

events = tables.events


class Waiting(Protocol):
    """What is read of a job that waits."""

    @property
    def number(self) -> int: ...
    @property
    def start_at(self) -> float: ...
    @property
    def started_at(self) -> float | None: ...


class _Return(NamedTuple):
    job: int
    at: float
    payload: str


_RETURNS = Query(
    sa.select(events.c.job, events.c.at, events.c.payload)
    .where(
        events.c.job.in_(sa.bindparam("numbers", expanding=True)),
        events.c.type.in_([EventType.RETRYING, EventType.REQUEUED]),
    )
    .order_by(events.c.job, events.c.sequence),
    _Return,
)


def waiting_since(tx: Tx, jobs: Sequence[Waiting]) -> Mapping[int, float]:
    """By number: when each was due at last, after its start time or after its last return to the queue."""
    since = {job.number: job.start_at for job in jobs}
    tried = [job.number for job in jobs if job.started_at is not None]
    if tried:  # few: most that wait have never run
        for row in tx.all(_RETURNS, numbers=tried):
            due_at = json.loads(row.payload).get("due_at")
            since[row.job] = datetime.fromisoformat(due_at).timestamp() if due_at else row.at
    return since
