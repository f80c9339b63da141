"""A result that comes after its job has ended: the files are kept as recovered assets, and nobody is charged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import TERMINAL, EventType
from safelight.services import events
from safelight.services.assets import NewAsset, add_recovered
from safelight.services.calls import CallOutcome
from safelight.services.moves import JOB_HAS_ENDED, NOT_OVER
from safelight.services.sql import FLAG, INTEGER, NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, calls = tables.jobs, tables.calls


class Late(NamedTuple):
    """A call of a job, by number, that succeeded, and the files it brought, which are in storage."""

    job: int
    call: CallOutcome
    assets: Sequence[NewAsset] = ()
    text: str | None = None
    charge: int | None = None
    """What the text costs its user by its use: only who made the call knows it."""
    cut_short: bool = False


class _Over(NamedTuple):
    job: int
    id: str


class _Told(NamedTuple):
    number: int
    id: str
    user_id: str
    sequence: int


_told_cost: Final = {
    "cost_usd": sa.func.coalesce(arg("cost", REAL), calls.c.cost_usd),
    "provider_request_id": sa.func.coalesce(arg("request_id"), calls.c.provider_request_id),
}
_KEEP_TEXT = Change(
    sa.update(calls)
    .where(calls.c.id == arg("call_id"), NOT_OVER)
    .values(text=arg("written"), charge=arg("charge", INTEGER), cut_short=arg("ends_early", FLAG), **_told_cost)
)
_CLOSE = Query(
    sa.update(calls)
    .where(
        calls.c.id == arg("call_id"),
        NOT_OVER,
        sa.or_(JOB_HAS_ENDED, calls.c.given_up_at.is_not(None)),
    )
    .values(
        state=sa.literal("succeeded"),
        ended_at=NOW,
        check_at=sa.null(),
        **_told_cost,
    )
    .returning(calls.c.job, calls.c.id),
    _Over,
)
_TELL = Query(
    sa.update(jobs)
    .where(jobs.c.number == arg("of_job", sa.BigInteger()), jobs.c.status.in_(sorted(TERMINAL)))
    .values(sequence=jobs.c.sequence + 1)
    .returning(jobs.c.number, jobs.c.id, jobs.c.user_id, jobs.c.sequence),
    _Told,
)


def keep_late(tx: Tx, results: Sequence[Late]) -> list[bool]:
    """Close calls of ended jobs as succeeded and keep what they brought, in input order.

    False where the call was over already, or where its job lives on with somebody else: that one will find the result
    itself, by the remote id, by the stored files or by the text on the call. An ended job is never settled again.
    """
    if not results:
        return []
    tx.lock(jobs, sorted({r.job for r in results}))  # whether they have ended decides
    tx.many(
        _KEEP_TEXT,
        [
            _as_told(r.call, written=r.text, charge=r.charge, ends_early=r.cut_short)
            for r in results
            if r.text is not None
        ],
    )
    closed = tx.many(_CLOSE, [_as_told(r.call, at_now=tx.now) for r in results])
    brought = [(row.job, r.assets) for r, row in zip(results, closed, strict=True) if row and r.assets]
    add_recovered(tx, [(job, asset) for job, assets in brought for asset in assets])
    told = tx.many(_TELL, [{"of_job": job} for job in sorted({job for job, _ in brought})])
    news = [
        events.NewEvent(row.number, row.id, row.user_id, row.sequence, EventType.ASSET_RECOVERED, {})
        for row in told
        if row
    ]
    events.append(tx, news)
    return [row is not None for row in closed]


def _as_told(call: CallOutcome, **more: object) -> dict[str, object]:
    return {"call_id": call.call_id, "cost": call.cost_usd, "request_id": call.request_id, **more}
