"""Removal: what its user wants gone is marked, and from then on is shown to nobody. The ledger stays.

Files and rows follow as when a job's time is over (`prune.py`, `maintenance/pruner.py`): as long as a file may be
there, a row names it, so whoever is killed in between leaves the rest to the next run of the pruner.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.errors import CallerError, Conflict, Remedy
from safelight.domain.jobs import LIVE
from safelight.services import inputs, prune
from safelight.services.prune import SLICE, Cutoffs, Marked
from safelight.services.sql import INTEGER, NOW, arg
from safelight.storage.keys import job_of
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, assets = tables.jobs, tables.assets

WHENEVER = Cutoffs(*(float(2**53) for _ in Cutoffs._fields))
"""Later than any job ends: a user need not wait until its time is over."""


class Doomed(NamedTuple):
    """A file that is to go, and its row after it."""

    number: int
    key: str
    thumbnail_key: str | None

    @property
    def keys(self) -> list[str]:
        return [key for key in (self.key, self.thumbnail_key) if key]


class _Job(NamedTuple):
    number: int
    status: str
    parent: int | None
    pruning_at: float | None


class _Asset(NamedTuple):
    number: int
    key: str
    thumbnail_key: str | None
    status: str


class _Inputs(NamedTuple):
    id: str
    inputs: str


_OWN = Query(
    sa.select(jobs.c.number, jobs.c.status, jobs.c.parent, jobs.c.pruning_at).where(
        jobs.c.id == arg("public_id"), jobs.c.user_id == arg("owner")
    ),
    _Job,
)
_OWN_ASSET = Query(
    sa.select(assets.c.number, assets.c.key, assets.c.thumbnail_key, jobs.c.status)
    .join_from(assets, jobs, assets.c.job == jobs.c.number)
    .where(
        assets.c.id == arg("public_id"),
        jobs.c.user_id == arg("owner"),
        jobs.c.pruning_at.is_(None),
        sa.not_(assets.c.recovered),
    ),
    _Asset,
)
_WAITING_INPUTS = Query(
    sa.select(jobs.c.id, jobs.c.inputs).where(
        jobs.c.user_id == arg("owner"), jobs.c.status.in_(sorted(LIVE)), jobs.c.inputs != "[]"
    ),
    _Inputs,
)
_MARK_ASSET = Change(
    sa.update(assets)
    .where(assets.c.number == arg("of_asset", INTEGER), assets.c.removed_at.is_(None))
    .values(removed_at=NOW)
)
_DOOMED = Query(
    sa.select(assets.c.number, assets.c.key, assets.c.thumbnail_key)
    .where(assets.c.removed_at.is_not(None), assets.c.number > arg("after", INTEGER))
    .order_by(assets.c.number)
    .limit(SLICE),
    Doomed,
)
_FORGET_ASSET = Change(
    sa.delete(assets).where(assets.c.number == arg("of_asset", INTEGER), assets.c.removed_at.is_not(None))
)


def mark_job(tx: Tx, job_id: str, user_id: str) -> list[Marked] | CallerError | None:
    """The rows that are to go: the job, and a batch's items. A refusal, or None if the user has no such job."""
    job = tx.one(_OWN, public_id=job_id, owner=user_id)
    if job is None:
        return None
    family = prune.families(tx, [job.number])
    if job.pruning_at is not None:
        return family
    refused = _why_not(job, job_id) or _refused_for_use(tx, user_id, jobs={j.id for j in family})
    if refused:
        return refused
    return family if prune.mark(tx, [job.number], WHENEVER) else _looked_after(job_id)


def mark_asset(tx: Tx, asset_id: str, user_id: str) -> Doomed | CallerError | None:
    """The file that is to go. A refusal, or None if the user has no such file."""
    asset = tx.one(_OWN_ASSET, public_id=asset_id, owner=user_id)
    if asset is None:
        return None
    if asset.status in LIVE:
        return Conflict("The job of this file has not ended.", remedy=Remedy("Delete it when the job has ended."))
    if refused := _refused_for_use(tx, user_id, assets={asset_id}):
        return refused
    tx.run(_MARK_ASSET, of_asset=asset.number, at_now=tx.now)
    return Doomed(asset.number, asset.key, asset.thumbnail_key)


def doomed_assets(tx: Tx, after: int) -> list[Doomed]:
    """The next slice of marked files in the order of their numbers."""
    return tx.all(_DOOMED, after=after)


def forget_assets(tx: Tx, numbers: Sequence[int]) -> int:
    """Remove the rows of files that are marked and gone; how many that were."""
    return sum(tx.run(_FORGET_ASSET, of_asset=number) for number in sorted(numbers))


def _why_not(job: _Job, job_id: str) -> CallerError | None:
    if job.status in LIVE:
        return Conflict(
            f"Job {job_id} is {job.status}: only what has ended can be deleted.",
            remedy=Remedy("Cancel it first.", f"POST /api/jobs/{job_id}/cancel"),
        )
    if job.parent is not None:
        return Conflict(f"Job {job_id} is an item of a batch.", remedy=Remedy("Delete the batch, or its files."))
    return None


def _looked_after(job_id: str) -> CallerError:
    return Conflict(
        f"A call of job {job_id} is still open at its provider: what it costs must be known first.",
        remedy=Remedy("Delete it later; within a day such a call is closed."),
    )


def _refused_for_use(
    tx: Tx, user_id: str, *, assets: Set[str] = frozenset(), jobs: Set[str] = frozenset()
) -> CallerError | None:
    """Why files cannot go now: another job is about to start from one of them."""
    for row in tx.all(_WAITING_INPUTS, owner=user_id):
        for each in inputs.read(row.inputs):
            if each.source == "asset" and (each.id in assets or job_of(each.key) in jobs):
                return Conflict(
                    f"Job {row.id}, which has not ended, starts from this.",
                    remedy=Remedy("Delete it when that job has ended."),
                )
    return None
