"""What items do to their batch: the first one claimed starts it, each that ends is counted, the last one ends it.

Whoever moves an item has locked it; its batch is locked after all items, and before any account. A batch itself is
never claimed and never expires.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import CLAIM, LIVE, EventType, Stage, Status
from safelight.services import events
from safelight.services.job_error import error_json
from safelight.services.moves import ENDED, MOVED, MovedRow, leaves, reaches
from safelight.services.sql import INTEGER, NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, batches = tables.jobs, tables.batches


class Counted(NamedTuple):
    """How the items of a batch have ended so far."""

    job: int
    items: int
    completed: int
    failed: int
    canceled: int
    cancel_asked: bool

    @property
    def ended(self) -> int:
        return self.completed + self.failed + self.canceled


class _Watched(NamedTuple):
    id: str


COUNTED: Final = (
    batches.c.job,
    batches.c["items"],  # `.items` is a method
    batches.c.completed,
    batches.c.failed,
    batches.c.canceled,
    sa.select(jobs.c.cancel_requested_at.is_not(None))
    .where(jobs.c.number == batches.c.job)
    .correlate(batches)
    .scalar_subquery(),
)
"""What a statement over `batches` returns, to be read as `Counted`."""

_this_batch = jobs.c.number == arg("batch", INTEGER)
_is_live = sa.and_(_this_batch, jobs.c.status.in_(sorted(LIVE)))
_START = Query(
    sa.update(jobs)
    .where(_this_batch, leaves(CLAIM))
    .values(
        status=reaches(CLAIM),
        stage=sa.literal(str(Stage.RUNNING)),
        started_at=NOW,
        fence=jobs.c.fence + 1,
        sequence=jobs.c.sequence + 1,
    )
    .returning(*MOVED),
    MovedRow,
)
_COUNT = Query(
    sa.update(batches)
    .where(batches.c.job == arg("batch", INTEGER))
    .values({batches.c[name]: batches.c[name] + arg(f"more_{name}", INTEGER) for name in Counted._fields[2:5]})
    .returning(*COUNTED),
    Counted,
)
_ADVANCE = Query(
    sa.update(jobs)
    .where(_is_live)
    .values(progress=arg("reached", REAL), sequence=jobs.c.sequence + 1)
    .returning(jobs.c.id),
    _Watched,
)
_END = Query(
    sa.update(jobs)
    .where(_is_live)
    .values(
        {
            **ENDED,
            jobs.c.status: arg("verdict"),
            jobs.c.stage: arg("at_stage"),
            jobs.c.progress: sa.literal(1.0),
            jobs.c.error: arg("failure"),
        }
    )
    .returning(*MOVED),
    MovedRow,
)


def start(tx: Tx, numbers: Collection[int]) -> None:
    """Items of these batches were claimed: those that were still pending are processing from now on."""
    started = tx.many(_START, [{"batch": number, "at_now": tx.now} for number in sorted(numbers)])
    events.append(
        tx,
        [
            events.NewEvent(row.number, row.id, row.user_id, row.sequence, EventType.STARTED, {}, row.callback)
            for row in started
            if row
        ],
    )


def count_in(tx: Tx, ended: Sequence[MovedRow]) -> list[MovedRow]:
    """Count jobs that have just ended into their batches. Returns the batches that end with them, to be closed too."""
    sums: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for row in ended:
        if row.parent is not None:
            sums[row.parent][row.status] += 1
    if not sums:
        return []
    tx.lock(jobs, sorted(sums))
    counted = tx.many(_COUNT, [_more(number, sums[number]) for number in sorted(sums)])
    known = [batch for batch in counted if batch]
    _advance(tx, [batch for batch in known if batch.ended < batch.items])
    return end(tx, [batch for batch in known if batch.ended >= batch.items])


def end(tx: Tx, counted: Sequence[Counted]) -> list[MovedRow]:
    """End batches, locked and without live items; those returned are to be closed. Others had ended before."""
    now = tx.now
    ended = tx.many(_END, [{**_ending(batch), "at_now": now} for batch in counted])
    return [row for row in ended if row]


def verdict(batch: Counted) -> Status:
    """How a batch ends whose items have all ended."""
    if 0 < batch.completed == batch.ended:
        return Status.COMPLETED
    if batch.completed:
        return Status.PARTIAL
    if batch.cancel_asked or 0 < batch.canceled == batch.ended:
        return Status.CANCELED
    return Status.FAILED


def _more(number: int, statuses: Counter[str]) -> dict[str, object]:
    return {"batch": number, **{f"more_{name}": statuses[name] for name in Counted._fields[2:5]}}


def _advance(tx: Tx, counted: Sequence[Counted]) -> None:
    rows = tx.many(_ADVANCE, [{"batch": b.job, "reached": b.ended / b.items} for b in counted])
    tx.wake(*(f"job:{row.id}" for row in rows if row))


def _ending(batch: Counted) -> dict[str, object]:
    status = verdict(batch)
    text = f"None of its {batch.ended} items completed: {batch.failed} failed, {batch.canceled} were canceled."
    return {
        "batch": batch.job,
        "verdict": str(status),
        "at_stage": str(Stage.DELIVERED if batch.completed else Stage.QUEUED),
        "failure": error_json("items_failed", text) if status is Status.FAILED else None,
    }
