"""Forget idempotency keys that nobody will repeat any more. They outlive their jobs, for a day at least."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LIVE
from safelight.services.sql import REAL, TEXT, arg
from safelight.store.statements import Change, Query
from safelight.store.tables import idempotency_keys as keys
from safelight.store.tables import jobs
from safelight.store.tx import Tx

LEAST_KEPT_S = 24 * 3600.0
SLICE = 1_000


class KeyRow(NamedTuple):
    user_id: str
    key: str
    created_at: float


FIRST = KeyRow("", "", 0.0)

_given = sa.tuple_(arg("last_user", TEXT), arg("last_key", TEXT))
_WALK = Query(
    sa.select(keys.c.user_id, keys.c.key, keys.c.created_at)
    .where(sa.tuple_(keys.c.user_id, keys.c.key) > _given)
    .order_by(keys.c.user_id, keys.c.key)
    .limit(SLICE),
    KeyRow,
)
_job_lives = sa.exists().where(jobs.c.id == keys.c.job_id, jobs.c.status.in_(sorted(LIVE))).correlate(keys)
_FORGET = Change(
    sa.delete(keys).where(
        keys.c.user_id == arg("owner"),
        keys.c.key == arg("given"),
        keys.c.created_at < arg("cutoff", REAL),
        sa.not_(_job_lives),  # scheduled for long after: the same request must find it
    )
)


def walk(tx: Tx, after: KeyRow) -> list[KeyRow]:
    """The next slice of keys. Empty at the end. No index tells their age: submit would pay for it."""
    return tx.all(_WALK, last_user=after.user_id, last_key=after.key)


def forget(tx: Tx, old: list[KeyRow], cutoff: float) -> int:
    """Remove those of these keys that were made before the cutoff; how many there were."""
    return sum(tx.many(_FORGET, [{"owner": row.user_id, "given": row.key, "cutoff": cutoff} for row in old]))
