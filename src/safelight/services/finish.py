"""Finish: the one transaction in which a worker ends a job it holds. Status, assets, call, credits, event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import ALLOWED, Stage, Status
from safelight.services import ending
from safelight.services.assets import NewAsset, add
from safelight.services.calls import CallOutcome, end_call, lock_gates
from safelight.services.late import Late, keep_late
from safelight.services.moves import ENDED, LEASE_HOLDS, MOVED, MovedRow
from safelight.services.sql import FLAG, INTEGER, arg
from safelight.store import tables
from safelight.store.calls import batch
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs = tables.jobs


class Ending(NamedTuple):
    """How a claimed job ends. `error` is JSON, for failed jobs.

    `text` is what a text job delivers. `charge` is what its use costs, in credits, where it is priced by use: captured
    instead of a share of the price, and never more than the price.
    """

    job: int
    fence: int
    status: Status
    assets: Sequence[NewAsset] = ()
    error: str | None = None
    call: CallOutcome | None = None
    text: str | None = None
    charge: int | None = None
    cut_short: bool = False


_CAPTURED = sa.case(
    (arg("charge", INTEGER) < jobs.c.price, arg("charge", INTEGER)),
    (arg("written").is_not(None), jobs.c.price),
    else_=jobs.c.price * arg("delivered", INTEGER) // jobs.c.outputs,
)
"""Never more than the price held on the row. A share of it is rounded down, in the user's favour."""
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
            jobs.c.text: sa.func.coalesce(arg("written"), jobs.c.text),
            jobs.c.cut_short: arg("ends_early", FLAG),
            jobs.c.captured: _CAPTURED,
        }
    )
    .returning(*MOVED),
    MovedRow,
)


@batch
def finish(tx: Tx, endings: Sequence[Ending]) -> list[bool]:
    """End each job whose lease still holds; settle its credits in the same transaction.

    Returns False, in input order, where someone else requeued, canceled or ended the job. The caller
    lets go of that job. What was learnt about the call is recorded either way; but a call that succeeded stays open
    while its job lives on with somebody else, who would otherwise make another.
    """
    if not {(Status.PROCESSING, e.status) for e in endings} <= ALLOWED:
        raise ValueError("a job in processing cannot end like that")
    now = tx.now
    lock_gates(tx, [e.call for e in endings if e.call])
    ended = tx.many(
        _END,
        [
            {
                "job": e.job,
                "held_fence": e.fence,
                "new_status": str(e.status),
                "delivered": len(e.assets) + (e.text is not None),
                "written": e.text,
                "charge": e.charge,
                "ends_early": e.cut_short,
                "failure": e.error,
                "at_now": now,
            }
            for e in endings
        ],
    )
    late = [
        Late(e.job, e.call, e.assets, e.text, e.charge, e.cut_short)
        for e, row in zip(endings, ended, strict=True)
        if row is None and e.call and e.call.state == "succeeded"
    ]
    is_late = {result.call.call_id for result in late}
    told = [e.call for e in endings if e.call and e.call.call_id not in is_late]
    end_call(tx, told)  # jobs first, as everywhere
    keep_late(tx, late)
    add(tx, [(e.job, asset) for e, row in zip(endings, ended, strict=True) if row for asset in e.assets])
    called = {e.job: e.call.provider for e in endings if e.call and e.call.provider}
    ending.close(tx, [row for row in ended if row], called=called)
    return [row is not None for row in ended]
