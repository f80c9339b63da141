"""What the calls to each provider are expected to cost per UTC day, and the ceiling on it.

Estimates only: a call that in the end cost less does not give the difference back before midnight. One that its
provider did not accept counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.sql import REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

spend = tables.spend


class Spending(NamedTuple):
    """One call that is about to be made. `day` as `2026-01-31`; no ceiling means: only count."""

    provider: str
    day: str
    usd: float
    ceiling_usd: float | None


class _Usd(NamedTuple):
    usd: float


_key = sa.and_(spend.c.provider == arg("at_provider"), spend.c.day == arg("on_day"))
_OPEN = Change(insert_or_ignore(spend, ("provider", "day")), columns=("provider", "day"))
_ADD = Change(
    sa.update(spend)
    .where(_key, spend.c.usd + arg("more", REAL) <= arg("ceiling", REAL))
    .values(calls=spend.c.calls + 1, usd=spend.c.usd + arg("more", REAL))
)
_GIVE_BACK = Change(
    sa.update(spend).where(_key).values(calls=spend.c.calls - 1, usd=sa.func.abs(spend.c.usd - arg("less", REAL)))
)
"""What is left may be a rounding error on either side of zero."""
_USD = Query(sa.select(spend.c.usd).where(_key), _Usd)
NO_CEILING = 1e300


def reserve(tx: Tx, spending: Spending) -> bool:
    """Count a call towards its provider's day; False if that would pass the ceiling, and then it must not be made."""
    tx.many(_OPEN, [{"provider": spending.provider, "day": spending.day}])
    ceiling = NO_CEILING if spending.ceiling_usd is None else spending.ceiling_usd
    changed = tx.run(_ADD, at_provider=spending.provider, on_day=spending.day, more=spending.usd, ceiling=ceiling)
    return changed == 1


def spent_usd(tx: Tx, provider: str, day: str) -> float:
    """What its calls of that day are expected to cost together."""
    found = tx.one(_USD, at_provider=provider, on_day=day)
    return found.usd if found else 0.0


def give_back(tx: Tx, unpaid: Iterable[tuple[str, float, float]]) -> None:
    """Calls that were not accepted, as (provider, when it was sent, its estimate), are not counted any more."""
    for provider, sent_at, usd in sorted(unpaid):
        tx.run(_GIVE_BACK, at_provider=provider, on_day=day_of(sent_at), less=usd)


def day_of(at_s: float) -> str:
    """The UTC day of a time by the database's clock, as `2026-01-31`."""
    return datetime.fromtimestamp(at_s, UTC).date().isoformat()
