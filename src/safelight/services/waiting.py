"""What waits for a worker: how many jobs, and how many credits they hold."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LIVE
from safelight.services.read_jobs import COUNT_AHEAD
from safelight.services.sql import INTEGER
from safelight.store.statements import Query
from safelight.store.tables import jobs
from safelight.store.tx import Tx


class Waiting(NamedTuple):
    """Both of the first COUNT_AHEAD jobs only."""

    jobs: int
    credits: int


_some = (  # the first condition is as the index of live jobs has it; batches do not wait for workers
    sa.select(jobs.c.price)
    .where(jobs.c.status.in_(sorted(LIVE)), jobs.c.status == "pending", jobs.c.kind != "batch")
    .limit(COUNT_AHEAD)
    .subquery()
)
_WAITING = Query(
    sa.select(
        sa.func.count().label("jobs"),
        sa.cast(sa.func.coalesce(sa.func.sum(_some.c.price), 0), INTEGER).label("credits"),
    ).select_from(_some),
    Waiting,
)


def waiting(tx: Tx) -> Waiting:
    """Over all queues, also what is due only later."""
    (found,) = tx.all(_WAITING)
    return found
