"""Read what batches are made of: how their items stand, what they cost in all, and the items themselves, in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.sql import INTEGER
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, calls = tables.jobs, tables.calls


class _Standing(NamedTuple):
    parent: int
    status: str
    settled: bool
    items: int
    price: int
    captured: int
    deadline_at: float


class _Cost(NamedTuple):
    parent: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class ItemsSum:
    """A batch's items taken together; credits as its public body shows them."""

    by_status: Mapping[str, int]
    held: int
    captured: int
    released: int
    cost_usd: float
    deadline_at: float | None
    """The latest of those that live, or else of all."""

    @property
    def total(self) -> int:
        return sum(self.by_status.values())


_of_these = jobs.c.parent.in_(sa.bindparam("numbers", expanding=True))
_STANDING = Query(
    sa.select(
        jobs.c.parent,
        jobs.c.status,
        jobs.c.settled,
        sa.func.count().label("items"),
        sa.cast(sa.func.sum(jobs.c.price), INTEGER).label("price"),
        sa.cast(sa.func.sum(jobs.c.captured), INTEGER).label("captured"),
        sa.func.max(jobs.c.deadline_at).label("deadline_at"),
    )
    .where(_of_these)
    .group_by(jobs.c.parent, jobs.c.status, jobs.c.settled),
    _Standing,
)
_COST = Query(
    sa.select(jobs.c.parent, sa.func.sum(calls.c.cost_usd).label("cost_usd"))
    .join_from(jobs, calls, calls.c.job == jobs.c.number)
    .where(_of_these, calls.c.cost_usd.is_not(None))
    .group_by(jobs.c.parent),
    _Cost,
)


def sums_of(tx: Tx, batches: Sequence[int]) -> dict[int, ItemsSum]:
    """How the items of each batch stand, by the batch's number. Read from the items: counters may be behind."""
    if not batches:
        return {}
    groups: defaultdict[int, list[_Standing]] = defaultdict(list)
    for row in tx.all(_STANDING, numbers=batches):
        groups[row.parent].append(row)
    costs = {row.parent: row.cost_usd or 0.0 for row in tx.all(_COST, numbers=batches)}
    return {number: _sum(groups[number], costs.get(number, 0.0)) for number in batches}


def _sum(rows: Sequence[_Standing], cost_usd: float) -> ItemsSum:
    live = [row for row in rows if not row.settled]
    captured = sum(row.captured for row in rows)
    return ItemsSum(
        by_status={row.status: row.items for row in sorted(rows)},
        held=sum(row.price for row in live),
        captured=captured,
        released=sum(row.price for row in rows if row.settled) - captured,
        cost_usd=cost_usd,
        deadline_at=max((row.deadline_at for row in live or rows), default=None),
    )
