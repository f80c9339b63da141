"""Resume: fetch what an ended job's call made at its provider, without paying the provider again.

Where the files came late and were kept, the new job has them at once. Else it is claimed like any job with an open
call, and a worker polls the same remote id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.errors import CallerError, Conflict, Gone, InsufficientCredits, Remedy
from safelight.domain.jobs import LIVE, Stage, Status
from safelight.ledger.entries import hold
from safelight.services import ending, keys, new_jobs, originals, rates, shares
from safelight.services.credits import Books, open_accounts
from safelight.services.moves import ENDED, MOVED, NOT_OVER, MovedRow
from safelight.services.originals import Original
from safelight.services.refund import paid_for
from safelight.services.sql import INTEGER, NOW, arg
from safelight.services.submission import Answer, Submission, Submitted
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, calls, assets = tables.jobs, tables.calls, tables.assets


class SourceCall(NamedTuple):
    """The call of an ended job whose result is fetched."""

    id: str
    provider: str
    model: str
    remote_id: str


class Resume(NamedTuple):
    """The job to be made: `submission` without its price, which is read here. `call_id` is for its own call row."""

    original: Original
    source: SourceCall
    submission: Submission
    call_id: str


class _Asset(NamedTuple):
    id: str


class _Fetcher(NamedTuple):
    """A job with a call of its own for what one provider knows under one name."""

    number: int
    id: str
    status: str
    price: int


_SOURCE = Query(
    sa.select(calls.c.id, calls.c.provider, calls.c.model, calls.c.remote_id)
    .where(calls.c.job == arg("of_job", INTEGER), calls.c.remote_id.is_not(None))
    .order_by(calls.c.number.desc())
    .limit(1),
    SourceCall,
)
_FETCHED_BY = Query(
    sa.select(jobs.c.number, jobs.c.id, jobs.c.status, jobs.c.price)
    .join_from(calls, jobs, calls.c.job == jobs.c.number)
    .where(calls.c.remote_id == arg("remote"), calls.c.provider == arg("at_provider"), jobs.c.user_id == arg("owner"))
    .order_by(jobs.c.number),
    _Fetcher,
)
_HAND_OVER = Change(
    sa.update(calls)
    .where(calls.c.id == arg("source"), NOT_OVER)
    .values(state=sa.literal("failed"), error=arg("taken_over"), ended_at=NOW, check_at=sa.null())
)
_CALL_COLUMNS = (
    "id",
    "job",
    "attempt",
    "provider",
    "model",
    "repeatable",
    "state",
    "remote_id",
    "worker_id",
    "sending_at",
    "accepted_at",
    "ended_at",
    "cost_usd",
)
_OPEN_CALL = Change(sa.insert(calls), columns=_CALL_COLUMNS)
_ADOPT = Query(
    sa.update(assets)
    .where(assets.c.call == arg("source"), assets.c.job == arg("of_job", INTEGER), assets.c.recovered)
    .values(job=arg("new_job", INTEGER), recovered=sa.false())
    .returning(assets.c.id),
    _Asset,
)
_COMPLETE = Query(
    sa.update(jobs)
    .where(jobs.c.number == arg("new_job", INTEGER))
    .values(
        {
            **ENDED,
            jobs.c.status: sa.literal(str(Status.COMPLETED)),
            jobs.c.stage: sa.literal(str(Stage.DELIVERED)),
            jobs.c.progress: sa.literal(1.0),
            jobs.c.captured: jobs.c.price * arg("delivered", INTEGER) // jobs.c.outputs,
        }
    )
    .returning(*MOVED),
    MovedRow,
)


def source_of(tx: Tx, job: int) -> SourceCall | None:
    """The newest call of a job that its provider gave a name to."""
    return tx.one(_SOURCE, of_job=job)


def resume(tx: Tx, asked: Resume) -> Answer:
    """Make the job that fetches the result, or answer why not. Running it twice with the same ids makes one."""
    original, source, submission = asked.original, asked.source, asked.submission
    if new_jobs.existing(tx, [submission]):
        return Submitted(submission.id)
    if second := keys.take(tx, [submission]):
        return second[submission.id]
    # Of two that resume one call, or a resume of it, the second finds the first; so does a late result.
    tx.lock(jobs, sorted({original.number, *(job.number for job in _fetched_by(tx, original, source))}))
    if originals.original(tx, original.id, original.user_id) is None:  # pruned since it was looked at
        keys.give_back(tx, [submission])
        return _is_removed(original)
    fetched_by = _fetched_by(tx, original, source)
    if other := next((job for job in fetched_by if job.status in LIVE), None):
        keys.give_back(tx, [submission])
        return _is_resumed_already(original, other.id)
    refusal = _make(tx, asked, _price(tx, original, fetched_by))
    if refusal:
        keys.give_back(tx, [submission])
    return refusal or Submitted(submission.id)


def _fetched_by(tx: Tx, original: Original, source: SourceCall) -> list[_Fetcher]:
    """Every job of its user that has asked for the same result: the first one and all resumes, also of resumes."""
    return tx.all(_FETCHED_BY, remote=source.remote_id, at_provider=source.provider, owner=original.user_id)


def _price(tx: Tx, original: Original, fetched_by: Sequence[_Fetcher]) -> int:
    """What the user pays: nothing if the original was paid for, or an earlier resume, and not all was given back.

    Else what the first one cost: the original may be a resume that was free, as the first was paid for at that time.
    """
    asked_before = {original.number, *(row.number for row in fetched_by)}
    if any(paid_for(tx, number).left > 0 for number in asked_before):
        return 0
    return max([original.price, *(job.price for job in fetched_by)])


def _make(tx: Tx, asked: Resume, price: int) -> CallerError | None:
    s = replace(asked.submission, price=price)
    user = s.user_id
    accounts = open_accounts(tx, [user])
    vstarts = shares.take(tx, [s])
    books = Books.of_accounts(tx, accounts.values())
    if not books.covers(accounts[user], price):
        shares.give_back(tx, [s])
        return InsufficientCredits(account=user, price=price, available=books.balance(accounts[user]).available)
    if too_soon := rates.take(tx, [s]).get(s.id):
        shares.give_back(tx, [s])
        return too_soon
    numbers = new_jobs.insert(tx, [s], accounts, vstarts)
    books.post(accounts[user], hold(price, job=numbers[s.id]))
    books.close()
    new_jobs.announce(tx, [s], numbers)
    _take_over(tx, asked, numbers[s.id])
    return None


def _take_over(tx: Tx, asked: Resume, number: int) -> None:
    """Nobody looks after the original's call any more. The files it brought late are the new job's, which is done."""
    tx.run(_HAND_OVER, source=asked.source.id, taken_over=f"resumed by job {asked.submission.id}", at_now=tx.now)
    delivered = len(tx.all(_ADOPT, new_job=number, of_job=asked.original.number, source=asked.source.id))
    tx.many(_OPEN_CALL, [_call_row(asked, number, tx.now, is_over=delivered > 0)])
    if delivered:
        wanted = min(delivered, asked.submission.outputs)
        ending.close(tx, tx.all(_COMPLETE, new_job=number, delivered=wanted, at_now=tx.now))


def _call_row(asked: Resume, number: int, now: float, *, is_over: bool) -> dict[str, object]:
    return {
        "id": asked.call_id,
        "job": number,
        "attempt": 1,
        "provider": asked.source.provider,
        "model": asked.source.model,
        "repeatable": False,
        "state": "succeeded" if is_over else "accepted",
        "remote_id": asked.source.remote_id,
        "worker_id": "",
        "sending_at": now,
        "accepted_at": now,
        "ended_at": now if is_over else None,
        "cost_usd": 0.0,
    }


def _is_removed(original: Original) -> Gone:
    return Gone(f"Job {original.id} was removed.", remedy=Remedy("Submit it anew."), evidence={"job_id": original.id})


def _is_resumed_already(original: Original, other_id: str) -> Conflict:
    return Conflict(
        f"The call of job {original.id} is being resumed already, by job {other_id}.",
        remedy=Remedy("Wait for that one.", f"safelight jobs watch {other_id}"),
        evidence={"job_id": other_id},
    )
