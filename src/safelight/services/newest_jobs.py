"""The newest jobs of everybody, by id: among them is looked for the one that a shortened id means."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.sql import INTEGER, arg
from safelight.store.statements import Query
from safelight.store.tables import jobs
from safelight.store.tx import Tx


class JobId(NamedTuple):
    id: str
    status: str


_last = sa.select(sa.func.max(jobs.c.number)).scalar_subquery()
_NEWEST = Query(
    sa.select(jobs.c.id, jobs.c.status)
    .where(jobs.c.number > _last - arg("at_most", INTEGER))
    .order_by(jobs.c.number.desc()),
    JobId,
)


def newest_jobs(tx: Tx, at_most: int) -> list[JobId]:
    """At most so many, newest first."""
    return tx.all(_NEWEST, at_most=at_most)
