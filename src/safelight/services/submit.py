"""Submit: one transaction that holds the price, inserts the job and says so. After its commit nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.errors import CallerError, IdempotencyMismatch, InsufficientCredits
from safelight.domain.jobs import EventType, Stage, Status
from safelight.ledger.entries import hold
from safelight.services import events, shares
from safelight.services.credits import Books, open_accounts
from safelight.services.sql import arg
from safelight.store import tables
from safelight.store.calls import batch
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

jobs, keys = tables.jobs, tables.idempotency_keys


@dataclass(frozen=True, slots=True)
class Submission:
    """A job as it will be inserted: resolved, validated and priced by `prepare`. JSON fields are text."""

    id: str
    user_id: str
    kind: str
    model: str
    queue: str
    prompt: str
    params: str
    outputs: int
    price: int
    share: float
    """Typical seconds of work: what the job takes from its user's share of the queue."""
    max_wait_s: float
    run_limit_s: float
    labels: str = "{}"
    warnings: str = "[]"
    priority: int = 0
    provider_pin: str | None = None
    request_id: str | None = None
    start_at: float | None = None
    """Epoch seconds; None means now."""
    key: str | None = None
    """The caller's idempotency key, unique per user."""
    request_hash: str = ""


@dataclass(frozen=True, slots=True)
class Submitted:
    """The job now exists."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """The same request with the same key was here before; this is its job."""

    job_id: str


Answer = Submitted | Replayed | CallerError


class _KeyRow(NamedTuple):
    request_hash: str
    job_id: str


class _NewJob(NamedTuple):
    number: int
    id: str


_TAKE_KEY = Change(
    insert_or_ignore(keys, ("user_id", "key", "request_hash", "job_id", "created_at")),
    columns=("user_id", "key", "request_hash", "job_id", "created_at"),
)
_KEY = Query(
    sa.select(keys.c.request_hash, keys.c.job_id).where(keys.c.user_id == arg("owner"), keys.c.key == arg("given")),
    _KeyRow,
)
_GIVE_KEY_BACK = Change(sa.delete(keys).where(keys.c.user_id == arg("owner"), keys.c.key == arg("given")))
_EXISTING = Query(sa.select(jobs.c.number, jobs.c.id).where(jobs.c.id == arg("public_id")), _NewJob)
_JOB_COLUMNS = (
    "id",
    "user_id",
    "account",
    "kind",
    "model",
    "provider_pin",
    "queue",
    "prompt",
    "params",
    "labels",
    "outputs",
    "priority",
    "request_id",
    "warnings",
    "status",
    "stage",
    "sequence",
    "ready",
    "due_at",
    "vstart",
    "share",
    "created_at",
    "start_at",
    "deadline_at",
    "run_limit_s",
    "price",
)
_INSERT = Query(sa.insert(jobs).returning(jobs.c.number, jobs.c.id), _NewJob, columns=_JOB_COLUMNS)


@batch
def submit(tx: Tx, submissions: Sequence[Submission]) -> list[Answer]:
    """Make each job durable with its credits held, or answer why not, in input order.

    Running it twice with the same public ids (a commit whose outcome was lost) gives the same jobs.
    """
    answers: dict[str, Answer] = _already_there(tx, submissions)
    fresh = _take_keys(tx, [s for s in submissions if s.id not in answers], answers)
    accounts = open_accounts(tx, (s.user_id for s in fresh))
    vstarts = shares.take(tx, fresh)
    books = Books.of_accounts(tx, accounts.values())
    affordable = _hold_in_memory(books, accounts, fresh, answers)
    inserted = {row.id: row.number for row in _insert(tx, affordable, accounts, vstarts)}
    for s in affordable:
        books.post(accounts[s.user_id], hold(s.price, job=inserted[s.id]))
        answers[s.id] = Submitted(s.id)
    books.close()
    _forget(tx, [s for s in fresh if isinstance(answers[s.id], InsufficientCredits)])
    _announce(tx, affordable, inserted)
    _answer_again(tx, submissions, answers)
    return [answers[s.id] for s in submissions]


def _already_there(tx: Tx, submissions: Sequence[Submission]) -> dict[str, Answer]:
    rows = tx.many(_EXISTING, [{"public_id": s.id} for s in submissions])
    return {row.id: Submitted(row.id) for row in rows if row}


def _take_keys(tx: Tx, submissions: Sequence[Submission], answers: dict[str, Answer]) -> list[Submission]:
    """Put each idempotency key's row first; those who come second get the answer of the first."""
    keyed = [s for s in submissions if s.key is not None]
    if not keyed:
        return list(submissions)
    now = tx.now
    tx.many(
        _TAKE_KEY,
        [
            {"user_id": s.user_id, "key": s.key, "request_hash": s.request_hash, "job_id": s.id, "created_at": now}
            for s in sorted(keyed, key=lambda s: (s.user_id, str(s.key)))
        ],
    )
    holders = tx.many(_KEY, [{"owner": s.user_id, "given": s.key} for s in keyed])
    for s, holder in zip(keyed, holders, strict=True):
        if holder and holder.job_id != s.id:
            answers[s.id] = (
                Replayed(holder.job_id)
                if holder.request_hash == s.request_hash
                else IdempotencyMismatch(key=str(s.key), job_id=holder.job_id)
            )
    return [s for s in submissions if s.id not in answers]


def _hold_in_memory(
    books: Books, accounts: dict[str, int], submissions: Sequence[Submission], answers: dict[str, Answer]
) -> list[Submission]:
    """Those that their account covers, first come first served; the others are answered here."""
    spoken_for: dict[int, int] = {}
    affordable = []
    for s in submissions:
        account = accounts[s.user_id]
        taken = spoken_for.get(account, 0)
        if books.covers(account, taken + s.price):
            spoken_for[account] = taken + s.price
            affordable.append(s)
        else:
            available = books.balance(account).available - taken
            answers[s.id] = InsufficientCredits(account=s.user_id, price=s.price, available=available)
    return affordable


def _insert(
    tx: Tx, submissions: Sequence[Submission], accounts: dict[str, int], vstarts: dict[str, float]
) -> list[_NewJob]:
    now = tx.now
    rows = tx.many(_INSERT, [_job_row(s, accounts[s.user_id], vstarts[s.id], now) for s in submissions])
    return [row for row in rows if row]


def _job_row(s: Submission, account: int, vstart: float, now: float) -> dict[str, object]:
    start_at = now if s.start_at is None else max(now, s.start_at)
    delayed = start_at > now
    return {
        "id": s.id,
        "user_id": s.user_id,
        "account": account,
        "kind": s.kind,
        "model": s.model,
        "provider_pin": s.provider_pin,
        "queue": s.queue,
        "prompt": s.prompt,
        "params": s.params,
        "labels": s.labels,
        "outputs": s.outputs,
        "priority": s.priority,
        "request_id": s.request_id,
        "warnings": s.warnings,
        "status": str(Status.PENDING),
        "stage": str(Stage.QUEUED),
        "sequence": 1,
        "ready": not delayed,
        "due_at": start_at if delayed else None,
        "vstart": vstart,
        "share": s.share,
        "created_at": now,
        "start_at": start_at,
        "deadline_at": start_at + s.max_wait_s,
        "run_limit_s": s.run_limit_s,
        "price": s.price,
    }


def _forget(tx: Tx, refused: Sequence[Submission]) -> None:
    """A refusal must leave no trace: the same request may be affordable later, and its user took no turn."""
    tx.many(_GIVE_KEY_BACK, [{"owner": s.user_id, "given": s.key} for s in refused if s.key is not None])
    shares.give_back(tx, refused)


def _answer_again(tx: Tx, submissions: Sequence[Submission], answers: dict[str, Answer]) -> None:
    """Those who came second to a key whose holder was then refused: their answer named a job that does not exist.

    Each round decides at least one of them, so this ends.
    """
    refused = {name for name, answer in answers.items() if isinstance(answer, InsufficientCredits)}
    misled = [s for s in submissions if _names(answers[s.id]) in refused]
    if misled:
        answers.update(zip((s.id for s in misled), submit(tx, misled), strict=True))


def _names(answer: Answer) -> str | None:
    """The job that an answer to a second request names."""
    match answer:
        case Replayed(job_id):
            return job_id
        case IdempotencyMismatch():
            return str(answer.evidence["job_id"])
        case _:
            return None


def _announce(tx: Tx, submissions: Sequence[Submission], numbers: dict[str, int]) -> None:
    events.append(
        tx,
        [
            events.NewEvent(numbers[s.id], s.id, s.user_id, 1, EventType.SUBMITTED, {"price_credits": s.price})
            for s in submissions
        ],
    )
    tx.wake(*{f"queue:{s.queue}" for s in submissions})
