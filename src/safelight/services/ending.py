"""What every ending of a job has in common: settle its hold, forget its preview, say so in an event, count it.

A job that was canceled before it ever ran also gives its share of the queue back, unless its turn has passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from safelight.domain.jobs import ENDINGS, Status
from safelight.ledger.entries import Entry, capture, release
from safelight.services import ended_jobs, events, parents, parking, shares
from safelight.services.credits import Books
from safelight.services.moves import NOT_OVER, MovedRow
from safelight.services.sql import INTEGER, NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Change
from safelight.store.tx import Tx

_FORGET_PREVIEW = Change(sa.delete(tables.previews).where(tables.previews.c.job == arg("ended_job", INTEGER)))
_calls = tables.calls.c
_SETTLE_CALLS = Change(
    sa.update(tables.calls)
    .where(_calls.job == arg("ended_job", INTEGER), NOT_OVER)
    .values(
        state=sa.case((_calls.repeatable, sa.literal("failed")), else_=_calls.state),
        ended_at=sa.case((_calls.repeatable, sa.cast(NOW, REAL)), else_=sa.null()),
        check_at=sa.case((_calls.repeatable, sa.null()), else_=sa.cast(NOW, REAL)),
    )
)
"""Calls that outlive their job: free ones are over, of the others somebody must hear how they end (`aftercare.py`)."""


def close(
    tx: Tx,
    ended: Sequence[MovedRow],
    payloads: Mapping[int, Mapping[str, Any]] | None = None,
    *,
    called: Mapping[int, str] | None = None,
) -> None:
    """Settle jobs that the caller's guarded UPDATE just ended, in the same transaction.

    A batch whose last item is among them ends with it. `payloads` adds to the terminal event, by job number. The job
    body itself is joined in when it is read. `called` has the provider of each, as far as it is known here.
    """
    if not ended:
        return
    ended = [*ended, *parents.count_in(tx, ended)]
    keys = [{"ended_job": row.number} for row in ended]
    tx.many(_FORGET_PREVIEW, keys)
    tx.many(_SETTLE_CALLS, [{**key, "at_now": tx.now} for key in keys])
    _give_turns_back(tx, [row for row in ended if row.status == Status.CANCELED and row.started_at is None])
    parking.let_in(tx, [row for row in ended if row.started_at is not None and row.queue])
    books = Books.of_accounts(tx, (row.account for row in ended))
    for row in ended:
        books.post(row.account, _settlement(row))
    books.close()
    extra = payloads or {}
    events.append(
        tx,
        [
            events.NewEvent(
                row.number,
                row.id,
                row.user_id,
                row.sequence,
                ENDINGS[Status(row.status)],
                extra.get(row.number, {}),
                row.callback,
            )
            for row in ended
        ],
    )
    ended_jobs.count(tx, ended, called or {})


def _give_turns_back(tx: Tx, never_ran: Sequence[MovedRow]) -> None:
    passed = {row.number for row in shares.missed(tx, never_ran)}
    shares.give_back(tx, [row for row in never_ran if row.number not in passed])


def _settlement(row: MovedRow) -> Entry:
    if row.status in (Status.COMPLETED, Status.PARTIAL):
        return capture(row.price, row.captured, job=row.number)
    return release(row.price, job=row.number)
