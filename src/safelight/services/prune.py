"""Prune: mark ended jobs whose time is over, and remove the rows of marked ones. Ledger and accounts stay.

Files go between the two steps, by `maintenance/pruner.py`: as long as a file may be there, a row names it. Each step
can be repeated, so a crash anywhere leaves only work for the next run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LIVE, TERMINAL
from safelight.services import uploads
from safelight.services.sql import INTEGER, NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, calls, assets = tables.jobs, tables.calls, tables.assets

SLICE = 200


class Cutoffs(NamedTuple):
    """Jobs of a kind may go that ended before its moment, in epoch seconds; 0 keeps them all."""

    text: float
    image: float
    upscale: float
    video: float

    @property
    def latest(self) -> float:
        return max(self)

    def arguments(self) -> dict[str, float]:
        """A batch goes with the last of its items; of a kind that only a newer release knows the most is kept."""
        moments = {f"cutoff_{kind}": moment for kind, moment in self._asdict().items()}
        return moments | {"cutoff_batch": self.latest, "cutoff_other": min(self)}


KINDS = Cutoffs._fields


class Seen(NamedTuple):
    """A job that the walk over old jobs passed. `prunable` speaks for its whole batch."""

    number: int
    created_at: float
    prunable: bool


class Marked(NamedTuple):
    """A job whose files and rows are to go."""

    number: int
    id: str
    status: str
    kind: str


class _Number(NamedTuple):
    number: int


class _Named(NamedTuple):
    job: int
    key: str
    thumbnail_key: str | None


def _rests(job: sa.FromClause) -> sa.ColumnElement[bool]:
    """It ended before the cutoff, and nobody looks after a call of it or picks one up again."""
    looked_after = sa.exists().where(calls.c.job == job.c.number, calls.c.check_at.is_not(None))
    again = jobs.alias(f"again_{job.name if isinstance(job, sa.Alias) else 'of_job'}")
    picked_up = sa.exists().where(
        calls.c.job == job.c.number,
        again.c.resumed_call == calls.c.id,
        again.c.resumed_call.is_not(None),
        again.c.status.in_(sorted(LIVE)),
    )
    return sa.and_(
        job.c.status.in_(sorted(TERMINAL)),
        job.c.finished_at < _cutoff(job.c.kind),
        sa.not_(looked_after.correlate(job)),
        sa.not_(picked_up.correlate(job)),
    )


def _cutoff(kind: sa.ColumnElement[str]) -> sa.ColumnElement[float]:
    known = [(kind == sa.literal(name), arg(f"cutoff_{name}", REAL)) for name in (*KINDS, "batch")]
    return sa.case(*known, else_=arg("cutoff_other", REAL))


_item = jobs.alias("item")
_restless_item = sa.exists().where(_item.c.parent == jobs.c.number, sa.not_(_rests(_item))).correlate(jobs)
_PRUNABLE = sa.and_(jobs.c.parent.is_(None), jobs.c.pruning_at.is_(None), _rests(jobs), sa.not_(_restless_item))
"""A job on its own, or a batch with all of its items."""

_numbers: sa.BindParameter[int] = sa.bindparam("numbers", expanding=True)
_WALK = Query(
    sa.select(jobs.c.number, jobs.c.created_at, sa.func.coalesce(_PRUNABLE, sa.false()))
    .where(jobs.c.number > arg("after", INTEGER))
    .order_by(jobs.c.number)
    .limit(SLICE),
    Seen,
)
_FAMILIES = Query(
    sa.select(jobs.c.number, jobs.c.id, jobs.c.status, jobs.c.kind)
    .where(sa.or_(jobs.c.number.in_(_numbers), jobs.c.parent.in_(_numbers)))
    .order_by(jobs.c.number),
    Marked,
)
_LOCK_ITEMS = Query(
    sa.select(jobs.c.number).where(jobs.c.parent.in_(_numbers)).order_by(jobs.c.number).with_for_update(), _Number
)
_LOCK = Query(
    sa.select(jobs.c.number)
    .where(jobs.c.number.in_(_numbers))
    .order_by(jobs.c.number)
    .with_for_update(skip_locked=True),
    _Number,
)
_MARK = Query(
    sa.update(jobs).where(jobs.c.number.in_(_numbers), _PRUNABLE).values(pruning_at=NOW).returning(jobs.c.number),
    _Number,
)
_MARK_ITEMS = Change(sa.update(jobs).where(jobs.c.parent.in_(_numbers)).values(pruning_at=NOW))
_MARKED = Query(
    sa.select(jobs.c.number, jobs.c.id, jobs.c.status, jobs.c.kind)
    .where(jobs.c.pruning_at.is_not(None), jobs.c.number > arg("after", INTEGER))
    .order_by(jobs.c.number)
    .limit(SLICE),
    Marked,
)
_STILL_MARKED = Query(
    sa.select(jobs.c.number).where(jobs.c.number.in_(_numbers), jobs.c.pruning_at.is_not(None)), _Number
)
_tries_of = sa.select(tables.deliveries.c.number).where(tables.deliveries.c.job.in_(_numbers))
_REMOVE = [Change(sa.delete(tables.delivery_tries).where(tables.delivery_tries.c.delivery.in_(_tries_of)))]
_REMOVE += [
    Change(sa.delete(table).where(table.c.job.in_(_numbers)))
    for table in (
        tables.events,
        tables.previews,
        tables.calls,
        tables.assets,
        tables.batches,
        tables.job_inputs,
        tables.deliveries,
        tables.labels,
        tables.recovery_jobs,
    )
] + [Change(sa.delete(jobs).where(jobs.c.number.in_(_numbers)))]
_NAMED = Query(sa.select(assets.c.job, assets.c.key, assets.c.thumbnail_key).where(assets.c.job.in_(_numbers)), _Named)


def walk(tx: Tx, after: int, cutoffs: Cutoffs) -> list[Seen]:
    """The next slice of jobs in the order of their numbers, each judged. Empty at the end."""
    return tx.all(_WALK, after=after, **cutoffs.arguments())


def families(tx: Tx, numbers: Sequence[int]) -> list[Marked]:
    """These jobs, and the items of those that are batches."""
    return tx.all(_FAMILIES, numbers=numbers)


def mark(tx: Tx, numbers: Sequence[int], cutoffs: Cutoffs) -> int:
    """Mark those of these jobs that may still go, batches with their items; how many rows that were.

    They are judged again once they are locked: whoever picks up a call of an ended job locks that job first.
    """
    tx.all(_LOCK_ITEMS, numbers=numbers)
    locked = [row.number for row in tx.all(_LOCK, numbers=numbers)]
    marked = [row.number for row in tx.all(_MARK, numbers=locked, **cutoffs.arguments(), at_now=tx.now)]
    return len(marked) + tx.run(_MARK_ITEMS, numbers=marked, at_now=tx.now)


def marked_jobs(tx: Tx, after: int) -> list[Marked]:
    """The next slice of marked jobs in the order of their numbers."""
    return tx.all(_MARKED, after=after)


def remove(tx: Tx, numbers: Sequence[int]) -> int:
    """Remove the rows of jobs that are marked and whose files are gone; how many jobs that were."""
    tx.lock(jobs, numbers)
    marked = [row.number for row in tx.all(_STILL_MARKED, numbers=numbers)]
    uploads.let_go(tx, marked)
    for statement in _REMOVE:
        tx.run(statement, numbers=marked)
    return len(marked)


def files_named(tx: Tx, numbers: Sequence[int]) -> dict[int, list[str]]:
    """The keys that rows of these jobs name, by job."""
    found: dict[int, list[str]] = {number: [] for number in numbers}
    for row in tx.all(_NAMED, numbers=numbers):
        found[row.job] += [key for key in (row.key, row.thumbnail_key) if key]
    return found
