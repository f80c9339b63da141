"""Read the news of one job: its stored events after a cursor, and the newest progress on its row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LIVE
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, events, previews = tables.jobs, tables.events, tables.previews


class StoredEvent(NamedTuple):
    sequence: int
    type: str
    payload: str
    at: float

    @property
    def details(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.payload)
        return found


class Brief(NamedTuple):
    """What of a job's row can change while it lives."""

    number: int
    user_id: str
    status: str
    stage: str
    progress: float
    sequence: int
    text: str | None = None
    """All that a text model has written so far."""


class _PreviewSequence(NamedTuple):
    sequence: int


@dataclass(frozen=True, slots=True)
class News:
    """One consistent look at a job."""

    brief: Brief
    events: tuple[StoredEvent, ...]
    preview: int | None
    """The sequence of the newest preview, if there is one."""
    now: float

    @property
    def ended(self) -> bool:
        return self.brief.status not in LIVE


_BRIEF = Query(
    sa.select(*(jobs.c[name] for name in Brief._fields)).where(
        jobs.c.id == sa.bindparam("public_id", type_=sa.Text), jobs.c.pruning_at.is_(None)
    ),
    Brief,
)
_AFTER = Query(
    sa.select(*(events.c[name] for name in StoredEvent._fields))
    .where(
        events.c.job == sa.bindparam("of_job", type_=sa.BigInteger),
        events.c.sequence > sa.bindparam("cursor", type_=sa.BigInteger),
    )
    .order_by(events.c.sequence),
    StoredEvent,
)
_PREVIEW = Query(
    sa.select(previews.c.sequence).where(previews.c.job == sa.bindparam("of_job", type_=sa.BigInteger)),
    _PreviewSequence,
)


def news(tx: Tx, job_id: str, cursor: int) -> News | None:
    """The job now and its stored events after the cursor, in order; None if there is no such job."""
    brief = tx.one(_BRIEF, public_id=job_id)
    if brief is None:
        return None
    if brief.sequence <= cursor:
        return News(brief, (), None, tx.now)
    shown = tx.one(_PREVIEW, of_job=brief.number)
    return News(
        brief,
        tuple(tx.all(_AFTER, of_job=brief.number, cursor=cursor)),
        shown.sequence if shown else None,
        tx.now,
    )
