"""Look at where the newest webhooks went, and how they fared, by receiver."""

from __future__ import annotations

from collections import defaultdict
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import sqlalchemy as sa

from safelight.diagnosis.facts import HOUR_S, Receiver
from safelight.services.sql import INTEGER, arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

deliveries, tries = tables.deliveries, tables.delivery_tries

NEWEST: Final = 1_000
NAMED: Final = 50
"""Deliveries in trouble whose last error is looked up."""


class _Delivery(NamedTuple):
    number: int
    job: int
    url: str
    state: str
    tries_n: int
    ended_at: float | None


class _Id(NamedTuple):
    id: str


class _Try(NamedTuple):
    delivery: int
    n: int
    status: int | None
    error: str | None


_last = sa.select(sa.func.coalesce(sa.func.max(deliveries.c.number), 0)).scalar_subquery()
_NEWEST = Query(
    sa.select(*(deliveries.c[name] for name in _Delivery._fields)).where(deliveries.c.number > _last - NEWEST),
    _Delivery,
)
_TRIES = Query(
    sa.select(*(tries.c[name] for name in _Try._fields)).where(
        tries.c.delivery.in_(sa.bindparam("numbers", expanding=True, type_=INTEGER))
    ),
    _Try,
)

_ID = Query(sa.select(tables.jobs.c.id).where(tables.jobs.c.number == arg("number", INTEGER)), _Id)


def receivers(tx: Tx) -> list[Receiver]:
    """Of the NEWEST deliveries, by host; what was given up more than an hour ago no longer counts."""
    by_host = defaultdict[str, list[_Delivery]](list)
    for row in tx.all(_NEWEST):
        by_host[urlsplit(row.url).netloc].append(row)
    since = tx.now - HOUR_S
    found = {host: [row for row in rows if _is_in_trouble(row, since)] for host, rows in by_host.items()}
    errors = _last_errors(tx, [row.number for rows in found.values() for row in rows][-NAMED:])
    return [
        Receiver(
            host,
            sum(row.state == "failed" for row in found[host]),
            sum(row.state == "waiting" for row in found[host]),
            sum(row.state == "delivered" for row in rows),
            next((errors[row.number] for row in reversed(found[host]) if row.number in errors), None),
            _last_job(tx, found[host]),
        )
        for host, rows in by_host.items()
    ]


def _is_in_trouble(row: _Delivery, since: float) -> bool:
    """Given up within the hour, or tried in vain already."""
    return (row.state == "failed" and (row.ended_at or 0.0) > since) or (row.state == "waiting" and row.tries_n > 1)


def _last_job(tx: Tx, troubled: list[_Delivery]) -> str | None:
    """Of the newest in trouble; None if that job was removed meanwhile."""
    rows = tx.all(_ID, number=troubled[-1].job) if troubled else []
    return rows[0].id if rows else None


def _last_errors(tx: Tx, numbers: list[int]) -> dict[int, str]:
    last = dict[int, _Try]()
    for row in tx.all(_TRIES, numbers=numbers) if numbers else ():
        if row.n >= last.get(row.delivery, row).n:
            last[row.delivery] = row
    return {number: row.error or f"HTTP status {row.status}" for number, row in last.items()}
