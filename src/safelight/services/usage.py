"""Credits used per hour, written down by the sweep when the hour is over: so that a look at a week costs nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa

from safelight.services.sql import INTEGER, REAL, arg
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tables import jobs, usage_hours
from safelight.store.tx import Tx

HOUR_S: Final = 3_600.0
WEEK_H: Final = 168
AT_ONCE: Final = 4
"""Hours summed up in one pass of the sweep: behind a long pause they are made up for little by little."""


class Hour(NamedTuple):
    """`hour` counts hours since 1970; `credits` is what jobs that ended in it captured."""

    hour: int
    credits: int
    jobs: int


class _Sum(NamedTuple):
    credits: int
    jobs: int


class _Spender(NamedTuple):
    user_id: str
    credits: int


class _First(NamedTuple):
    at: float | None


_KNOWN = Query(
    sa.select(*(usage_hours.c[name] for name in Hour._fields)).where(usage_hours.c.hour >= arg("since", INTEGER)), Hour
)
_in_time = sa.and_(
    jobs.c.finished_at.is_not(None),
    jobs.c.finished_at >= arg("from_s", REAL),
    jobs.c.finished_at < arg("to_s", REAL),
    jobs.c.captured > 0,
)
_credits = sa.cast(sa.func.coalesce(sa.func.sum(jobs.c.captured), 0), INTEGER)
_SUM = Query(sa.select(_credits, sa.func.count()).where(_in_time), _Sum)
_FIRST = Query(sa.select(sa.func.min(jobs.c.finished_at)).where(jobs.c.finished_at.is_not(None)), _First)
_SPENDER = Query(
    sa.select(jobs.c.user_id, _credits)
    .where(_in_time)
    .group_by(jobs.c.user_id)
    .order_by(_credits.desc(), jobs.c.user_id)
    .limit(1),
    _Spender,
)
_KEEP = Change(insert_or_ignore(usage_hours, Hour._fields), columns=Hour._fields)


def known(tx: Tx) -> list[Hour]:
    """Those of the last seven days that are written down."""
    return tx.all(_KNOWN, since=_now(tx) - WEEK_H)


def news(tx: Tx) -> list[Hour]:
    """The oldest hours of the last seven days that are over and not written down, since there are jobs; a few."""
    first = tx.all(_FIRST)[0].at
    if first is None:
        return []
    there = {hour.hour for hour in known(tx)}
    since = max(_now(tx) - WEEK_H, math.floor(first / HOUR_S))
    missing = [hour for hour in range(since, _now(tx)) if hour not in there][:AT_ONCE]
    return [Hour(hour, *used(tx, hour * HOUR_S, (hour + 1) * HOUR_S)) for hour in missing]


def keep(tx: Tx, hours: Sequence[Hour]) -> int:
    """Write them down; how many."""
    tx.many(_KEEP, [hour._asdict() for hour in hours])
    return len(hours)


def used(tx: Tx, from_s: float, to_s: float) -> tuple[int, int]:
    """Credits captured, and jobs they were for."""
    found = tx.all(_SUM, from_s=from_s, to_s=to_s)[0]
    return found.credits, found.jobs


def most_of(tx: Tx, from_s: float, to_s: float) -> tuple[str, int] | None:
    """The user who used most, and how much."""
    found = tx.all(_SPENDER, from_s=from_s, to_s=to_s)
    return (found[0].user_id, found[0].credits) if found else None


def _now(tx: Tx) -> int:
    return math.floor(tx.now / HOUR_S)
