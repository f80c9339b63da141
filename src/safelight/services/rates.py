"""The rate limit of each user, held inside the transaction that makes jobs: no door and no process can pass it by.

What a user has used is one moment in their row: when the allowance will be whole again (a generic cell rate algorithm).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.errors import CallerError, RateLimited, Remedy
from safelight.domain.rates import Allowance, RateLimit, allowance
from safelight.services.sql import NOW, REAL, arg
from safelight.services.submission import Submission
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

rates = tables.rates


class _Rate(NamedTuple):
    full_at: float


_mine = rates.c.user_id == arg("owner")
_from_now = sa.case((rates.c.full_at > NOW, rates.c.full_at), else_=NOW)
_OPEN = Change(insert_or_ignore(rates, ("user_id", "full_at")), columns=("user_id", "full_at"))
_TAKE = Query(
    sa.update(rates)
    .where(_mine, _from_now + arg("takes_s", REAL) <= NOW + arg("window_s", REAL))
    .values(full_at=_from_now + arg("takes_s", REAL))
    .returning(rates.c.full_at),
    _Rate,
)
_LOOK = Query(sa.select(rates.c.full_at).where(_mine), _Rate)


def take(tx: Tx, submissions: Sequence[Submission], jobs: int = 1) -> dict[str, CallerError]:
    """Take each submission's part of its user's allowance; the refusals, by id, of those for whom too little is left.

    `jobs` is how many each of them makes. What is more than the whole allowance takes all of it. Called once nothing
    else can be refused any more, and after the accounts are locked.
    """
    limited = sorted((s for s in submissions if s.rate is not None), key=lambda s: s.user_id)
    tx.many(_OPEN, [{"user_id": user, "full_at": 0.0} for user in sorted({s.user_id for s in limited})])
    refused: dict[str, CallerError] = {}
    for s in limited:
        assert s.rate is not None  # noqa: S101  # sorted out above
        takes_s = min(s.rate.per_s, jobs * s.rate.each_s)
        if tx.one(_TAKE, owner=s.user_id, takes_s=takes_s, window_s=s.rate.per_s, at_now=tx.now) is None:
            refused[s.id] = _refusal(s.rate, look(tx, s.user_id, s.rate), takes_s)
    return refused


def look(tx: Tx, user_id: str, rate: RateLimit) -> Allowance:
    """What a user has left."""
    row = tx.one(_LOOK, owner=user_id)
    return allowance(rate, row.full_at if row else 0.0, tx.now)


def _refusal(rate: RateLimit, left: Allowance, takes_s: float) -> RateLimited:
    wait_s = max(1, math.ceil(left.whole_in_s + takes_s - rate.per_s))
    return RateLimited(
        f"You may submit {rate.amount} jobs in {rate.per_s:g} s, and have {left.left} left now.",
        remedy=Remedy(f"Try again in {wait_s} s."),
        evidence={"limit": rate.amount, "per_s": rate.per_s, "left": left.left, "retry_after_s": wait_s},
    )
