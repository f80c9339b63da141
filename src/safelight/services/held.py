"""Which jobs a process holds, by the rows: what it compares its running attempts with."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.sql import NOW, arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs = tables.jobs


class Held(NamedTuple):
    """A job in `processing`, for how many seconds, and whether someone asked to cancel it."""

    number: int
    fence: int
    held_s: float
    cancel_requested: bool


_HELD = Query(
    sa.select(
        jobs.c.number,
        jobs.c.fence,
        (NOW - jobs.c.claimed_at).label("held_s"),
        jobs.c.cancel_requested_at.is_not(None).label("cancel_requested"),
    ).where(jobs.c.worker_id == arg("worker"), jobs.c.status == "processing"),
    Held,
)


def held_by(tx: Tx, worker_id: str) -> list[Held]:
    """Every job whose row names this worker."""
    return tx.all(_HELD, worker=worker_id, at_now=tx.now)
