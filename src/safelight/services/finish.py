"""Finish: the one transaction in which a worker ends a job it holds. Status, assets, call, credits, event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import ALLOWED, Stage, Status
from safelight.services import ending
from safelight.services.calls import CallOutcome, end_call
from safelight.services.moves import ENDED, LEASE_HOLDS, MOVED, MovedRow
from safelight.services.sql import INTEGER, arg
from safelight.store import tables
from safelight.store.calls import batch
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, assets = tables.jobs, tables.assets


class NewAsset(NamedTuple):
    """A file that is already in storage under `key`."""

    id: str
    call_id: str
    n: int
    key: str
    thumbnail_key: str | None
    mime: str
    size_bytes: int
    width: int | None
    height: int | None
    duration_s: float | None
    sha256: str
    ai_generated: bool


class Ending(NamedTuple):
    """How a claimed job ends. `error` is JSON, for failed jobs."""

    job: int
    fence: int
    status: Status
    assets: Sequence[NewAsset] = ()
    error: str | None = None
    call: CallOutcome | None = None


_END = Query(
    sa.update(jobs)
    .where(LEASE_HOLDS)
    .values(
        {
            **ENDED,
            jobs.c.status: arg("new_status"),
            jobs.c.stage: sa.case(
                (arg("delivered", INTEGER) > 0, sa.literal(str(Stage.DELIVERED))), else_=jobs.c.stage
            ),
            jobs.c.progress: sa.case((arg("delivered", INTEGER) > 0, 1.0), else_=jobs.c.progress),
            jobs.c.error: arg("failure"),
            # Rounded down, in the user's favour; the price is the one held on the row.
            jobs.c.captured: jobs.c.price * arg("delivered", INTEGER) // jobs.c.outputs,
        }
    )
    .returning(*MOVED),
    MovedRow,
)
_ASSET_COLUMNS = (
    "id",
    "job",
    "call",
    "n",
    "key",
    "thumbnail_key",
    "mime",
    "bytes",
    "width",
    "height",
    "duration_s",
    "sha256",
    "ai_generated",
    "created_at",
)
_ADD_ASSET = Change(sa.insert(assets), columns=_ASSET_COLUMNS)


@batch
def finish(tx: Tx, endings: Sequence[Ending]) -> list[bool]:
    """End each job whose lease still holds; settle its credits in the same transaction.

    Returns False, in input order, where someone else requeued, canceled or ended the job. The caller
    lets go of that job. What was learnt about the call is recorded either way.
    """
    if not {(Status.PROCESSING, e.status) for e in endings} <= ALLOWED:
        raise ValueError("a job in processing cannot end like that")
    now = tx.now
    ended = tx.many(
        _END,
        [
            {
                "job": e.job,
                "held_fence": e.fence,
                "new_status": str(e.status),
                "delivered": len(e.assets),
                "failure": e.error,
                "at_now": now,
            }
            for e in endings
        ],
    )
    end_call(tx, [e.call for e in endings if e.call])  # jobs are locked before their calls, as everywhere
    tx.many(
        _ADD_ASSET,
        [_asset_row(e.job, asset, now) for e, row in zip(endings, ended, strict=True) if row for asset in e.assets],
    )
    ending.close(tx, [row for row in ended if row])
    return [row is not None for row in ended]


def _asset_row(job: int, asset: NewAsset, now: float) -> dict[str, object]:
    return {
        "id": asset.id,
        "job": job,
        "call": asset.call_id,
        "n": asset.n,
        "key": asset.key,
        "thumbnail_key": asset.thumbnail_key,
        "mime": asset.mime,
        "bytes": asset.size_bytes,
        "width": asset.width,
        "height": asset.height,
        "duration_s": asset.duration_s,
        "sha256": asset.sha256,
        "ai_generated": asset.ai_generated,
        "created_at": now,
    }
