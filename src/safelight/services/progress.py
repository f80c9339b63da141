"""Progress: overwrite the row, keep the text so far and the newest preview, and tell the worker whether to go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.moves import LEASE_HOLDS
from safelight.services.sql import INTEGER, REAL, arg
from safelight.store import tables
from safelight.store.calls import volatile
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, previews = tables.jobs, tables.previews


class Step(NamedTuple):
    """How far a claimed job has come. `preview` is base64; `text` is all that was written so far."""

    job: int
    fence: int
    stage: str
    progress: float
    preview_mime: str | None = None
    preview: str | None = None
    text: str | None = None


class Standing(NamedTuple):
    """What the worker needs to know: is the job still its own, and has someone asked to cancel it?"""

    held: bool
    cancel_requested: bool


class _Moved(NamedTuple):
    number: int
    id: str
    user_id: str
    sequence: int
    cancel_requested_at: float | None


_MOVE = Query(
    sa.update(jobs)
    .where(LEASE_HOLDS)
    .values(
        stage=arg("at_stage"),
        progress=arg("reached", REAL),
        text=sa.func.coalesce(arg("so_far"), jobs.c.text),
        sequence=jobs.c.sequence + 1,
    )
    .returning(*(jobs.c[name] for name in _Moved._fields)),
    _Moved,
)
_DROP_PREVIEW = Change(sa.delete(previews).where(previews.c.job == arg("of_job", INTEGER)))
_KEEP_PREVIEW = Change(sa.insert(previews), columns=("job", "sequence", "mime", "data"))
_STANDING = Query(sa.select(*(jobs.c[name] for name in _Moved._fields)).where(LEASE_HOLDS), _Moved)


@volatile
def progress(tx: Tx, steps: Sequence[Step]) -> list[Standing]:
    """Record the newest step of each job, in input order; `held` is False where the lease is gone."""
    newest = {(step.job, step.fence): step for step in steps}
    rows = tx.many(
        _MOVE,
        [
            {"job": s.job, "held_fence": s.fence, "at_stage": s.stage, "reached": s.progress, "so_far": s.text}
            for s in newest.values()
        ],
    )
    moved = {key: row for key, row in zip(newest, rows, strict=True) if row}
    shown = [(newest[key], row) for key, row in moved.items() if newest[key].preview is not None]
    tx.many(_DROP_PREVIEW, [{"of_job": step.job} for step, _ in shown])
    tx.many(
        _KEEP_PREVIEW,
        [{"job": s.job, "sequence": row.sequence, "mime": s.preview_mime, "data": s.preview} for s, row in shown],
    )
    tx.wake(*(f"job:{row.id}" for row in moved.values()), *{f"user:{row.user_id}" for row in moved.values()})
    return [_standing(moved.get((step.job, step.fence))) for step in steps]


def standing(tx: Tx, job: int, fence: int) -> Standing:
    """Whether a worker still holds a job, without changing anything."""
    return _standing(tx.one(_STANDING, job=job, held_fence=fence))


def _standing(row: _Moved | None) -> Standing:
    return Standing(held=row is not None, cancel_requested=row is not None and row.cancel_requested_at is not None)
