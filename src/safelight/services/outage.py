"""Give jobs that could not start the time back that an outage took from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.sql import INTEGER, NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs = tables.jobs

SLICE = 200


class _Number(NamedTuple):
    number: int


_numbers: sa.BindParameter[int] = sa.bindparam("numbers", expanding=True)
_never_started = sa.and_(
    jobs.c.status == "pending", jobs.c.started_at.is_(None), jobs.c.start_at <= NOW, jobs.c.kind != "batch"
)
_WAITING = Query(
    sa.select(jobs.c.number)
    .where(jobs.c.number > arg("after", INTEGER), _never_started)
    .order_by(jobs.c.number)
    .limit(SLICE),
    _Number,
)
_SHIFT = Change(
    sa.update(jobs)
    .where(jobs.c.number.in_(_numbers), _never_started)
    .values(deadline_at=jobs.c.deadline_at + arg("outage_s", REAL))
)


def waiting_slice(tx: Tx, after: int) -> list[int]:
    """The next jobs that never started although their time had come."""
    return [row.number for row in tx.all(_WAITING, after=after, at_now=tx.now)]


def shift_deadlines(tx: Tx, waiting: Sequence[int], outage_s: float) -> int:
    """Give jobs that have still not started the time back that an outage took; how many there were."""
    tx.lock(jobs, waiting)
    return tx.run(_SHIFT, numbers=waiting, outage_s=outage_s, at_now=tx.now)
