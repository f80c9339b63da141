"""Batches as a whole: cancel their items slice by slice, and end those whose counters were lost on the way.

Both are guarded and may be run by any process at any time: whoever asked drives a cancel, the sweep goes on with one
whose driver died.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LIVE, Status
from safelight.services import cancel, ending, parents
from safelight.services.moves import MOVED, MovedRow
from safelight.services.parents import COUNTED, Counted
from safelight.services.sql import INTEGER, arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, batches = tables.jobs, tables.batches

SLICE = 200


class Hits(NamedTuple):
    """What a sweep would find now, up to a slice of each."""

    unheeded: int
    """Canceled batches with items that nobody has canceled yet."""
    stale: int
    """Batches that live on although all their items have ended."""


class _Number(NamedTuple):
    number: int


_item = jobs.alias("item")
_live_item = sa.and_(_item.c.parent == jobs.c.number, _item.c.status.in_(sorted(LIVE)))
_is_live_batch = sa.and_(jobs.c.kind == "batch", jobs.c.status.in_(sorted(LIVE)))
_IS_STALE = sa.and_(_is_live_batch, sa.not_(sa.exists().where(_live_item).correlate(jobs)))
_IS_UNHEEDED = sa.and_(
    _is_live_batch,
    jobs.c.cancel_requested_at.is_not(None),
    sa.exists().where(_live_item, _item.c.cancel_requested_at.is_(None)).correlate(jobs),
)


def _some(condition: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
    return sa.select(jobs.c.number).where(condition).order_by(jobs.c.number).limit(SLICE)


def _count(condition: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(_some(condition).subquery()).scalar_subquery()


def _ended_as(status: Status) -> sa.ScalarSelect[int]:
    ended = sa.select(sa.func.count()).where(_item.c.parent == batches.c.job, _item.c.status == str(status))
    return ended.correlate(batches).scalar_subquery()


_HITS = Query(sa.select(_count(_IS_UNHEEDED), _count(_IS_STALE)), Hits)
_UNHEEDED = Query(_some(_IS_UNHEEDED), _Number)
_STALE = Query(_some(_IS_STALE).with_for_update(skip_locked=True, of=jobs), _Number)
_RECOUNT = Query(
    sa.update(batches)
    .where(batches.c.job == arg("batch", INTEGER))
    .values({batches.c[str(s)]: _ended_as(s) for s in (Status.COMPLETED, Status.FAILED, Status.CANCELED)})
    .returning(*COUNTED),
    Counted,
)
_items_left = (
    sa.select(jobs.c.number)
    .where(
        jobs.c.parent.in_(sa.bindparam("numbers", expanding=True)),
        jobs.c.status.in_(sorted(LIVE)),
        jobs.c.cancel_requested_at.is_(None),
    )
    .order_by(jobs.c.number)
    .limit(SLICE)
    .with_for_update()
    .cte("items_left")
    .prefix_with("MATERIALIZED")
)
_CANCEL_ITEMS = Query(
    sa.update(jobs)
    .where(jobs.c.number.in_(sa.select(_items_left.c.number)), cancel.CAN_BE_CANCELED)
    .values(cancel.CANCELED)
    .returning(*MOVED),
    MovedRow,
)


def look(tx: Tx) -> Hits:
    """What there is to do, read without a lock."""
    return tx.all(_HITS)[0]


def cancel_items(tx: Tx, numbers: Sequence[int]) -> int:
    """Cancel up to a slice of the items of these batches, each as a single job would be. Returns how many.

    It waits for items that others are moving, instead of skipping them: one that is skipped would run on.
    """
    rows = tx.all(_CANCEL_ITEMS, numbers=numbers, at_now=tx.now)
    cancel.announce(tx, rows)
    return len(rows)


def cancel_left_items(tx: Tx) -> int:
    """Go on with cancels whose driver died, by one slice of items. Returns how many."""
    found = [row.number for row in tx.all(_UNHEEDED)]
    return cancel_items(tx, found) if found else 0


def recount_batches(tx: Tx) -> int:
    """End batches all of whose items have ended, counting those anew. Returns how many.

    An item's end and its count are one transaction, so this finds something only after a defect or a repair by hand.
    """
    stale = [row.number for row in tx.all(_STALE)]
    counted = tx.many(_RECOUNT, [{"batch": number} for number in stale])
    ended = parents.end(tx, [batch for batch in counted if batch])
    ending.close(tx, ended)
    return len(ended)
