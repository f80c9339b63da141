"""What metrics tell of the whole installation: counters, and the rows as they are now."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.services import counters, presence
from safelight.services.counters import Counter
from safelight.services.pause import QueueRow, queue_rows
from safelight.services.sql import INTEGER
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx


class Ledger(NamedTuple):
    """`entries` are all that were ever written: the highest number, which is never reused."""

    balance: int
    held: int
    entries: int


class Spent(NamedTuple):
    """Over all days."""

    provider: str
    calls: int
    usd: float


class Measures(NamedTuple):
    counters: list[Counter]
    queues: list[QueueRow]
    ledger: Ledger
    spent: list[Spent]
    webhooks_waiting: int
    processes: dict[str, int]
    """Those that are not lost, by role."""


class _Count(NamedTuple):
    n: int


_accounts, _spend, _deliveries = tables.accounts.c, tables.spend.c, tables.deliveries.c


def _whole(value: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(value, 0), INTEGER)


_LEDGER = Query(
    sa.select(
        _whole(sa.func.sum(_accounts.balance)),
        _whole(sa.func.sum(_accounts.held)),
        _whole(sa.select(sa.func.max(tables.ledger.c.number)).scalar_subquery()),
    ),
    Ledger,
)
_SPENT = Query(
    sa.select(_spend.provider, sa.cast(sa.func.sum(_spend.calls), INTEGER), sa.func.sum(_spend.usd))
    .group_by(_spend.provider)
    .order_by(_spend.provider),
    Spent,
)
_WAITING = Query(
    sa.select(sa.func.count()).select_from(tables.deliveries).where(_deliveries.due_at.is_not(None)), _Count
)


def measures(tx: Tx) -> Measures:
    """One consistent look."""
    roles: dict[str, int] = {}
    for process in presence.processes(tx):
        if process.lost_at is None:
            roles[process.role] = roles.get(process.role, 0) + 1
    (ledger,) = tx.all(_LEDGER)
    (waiting,) = tx.all(_WAITING)
    return Measures(counters.sums(tx), queue_rows(tx), ledger, tx.all(_SPENT), waiting.n, roles)
