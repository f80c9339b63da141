"""Deliveries: one row per event that a job's callback is told, made in the transaction of the event.

Whoever takes one to send it moves `due_at` on first. If it dies, another sends it again, under the same id: receivers
hear of each event at least once.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.services import callback
from safelight.services.moves import picked
from safelight.services.sql import INTEGER, NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

deliveries, tries, jobs, events = tables.deliveries, tables.delivery_tries, tables.jobs, tables.events

TOPIC = "deliveries"
RETRY_AFTER_S = (5.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0)
MOST_TRIES = len(RETRY_AFTER_S) + 1
TAKEN_S = 60.0
"""After so long a try is taken to have died with its process. Longer than any try lasts."""
GONE = 410
"""The receiver wants to hear no more of it."""


class NewDelivery(NamedTuple):
    """An event of a job that has a callback, as its row has it."""

    job: int
    job_id: str
    sequence: int
    type: str
    callback: str


class Taken(NamedTuple):
    """A delivery to be sent now; `n` is the number of this try, from 1."""

    number: int
    id: str
    job: int
    sequence: int
    type: str
    url: str
    n: int


class Message(NamedTuple):
    """What is told: the stored event. `payload` is JSON; that of a last event is the job's body instead."""

    job_id: str
    user_id: str
    payload: str
    at: float

    @property
    def details(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.payload)
        return found


class Tried(NamedTuple):
    """What came of a try: the receiver's status, or why there was none. `is_last`: it will never be told."""

    delivery: int
    n: int
    took_s: float
    status: int | None
    error: str | None = None
    is_last: bool = False

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Delivery(NamedTuple):
    number: int
    id: str
    sequence: int
    type: str
    url: str
    state: str
    tries_n: int
    due_at: float | None
    created_at: float
    ended_at: float | None


class Try(NamedTuple):
    delivery: int
    n: int
    at: float
    took_s: float
    status: int | None
    error: str | None


class _Due(NamedTuple):
    number: int


class _Found(NamedTuple):
    number: int


class _Address(NamedTuple):
    url: str


_NEW = ("id", "job", "sequence", "type", "url", "state", "due_at", "created_at")
_INSERT = Change(sa.insert(deliveries), columns=_NEW)
_IS_DUE = sa.and_(deliveries.c.due_at.is_not(None), deliveries.c.due_at <= NOW)
_ANY_DUE = Query(sa.select(deliveries.c.number).where(_IS_DUE).limit(1), _Due)
_due = picked(
    sa.select(deliveries.c.number).where(_IS_DUE).order_by(deliveries.c.due_at).limit(arg("at_most", INTEGER)),
    "due_deliveries",
)
_TAKE = Query(
    sa.update(deliveries)
    .where(deliveries.c.number.in_(sa.select(_due.c.number)))
    .values(due_at=NOW + TAKEN_S, tries_n=deliveries.c.tries_n + 1)
    .returning(*(deliveries.c[name] for name in Taken._fields[:-1]), deliveries.c.tries_n),
    Taken,
)
_MESSAGE = Query(
    sa.select(jobs.c.id, jobs.c.user_id, events.c.payload, events.c.at)
    .join_from(events, jobs, events.c.job == jobs.c.number)
    .where(
        events.c.job == arg("of_job", INTEGER),
        events.c.sequence == arg("its_sequence", INTEGER),
        jobs.c.pruning_at.is_(None),
    ),
    Message,
)
_TRIED = Change(insert_or_ignore(tries, Try._fields), columns=Try._fields)
_this_one = sa.and_(deliveries.c.number == arg("this_one", INTEGER), deliveries.c.state == "waiting")
_END = Change(sa.update(deliveries).where(_this_one).values(state=arg("verdict"), due_at=sa.null(), ended_at=NOW))
_LATER = Change(
    sa.update(deliveries)
    .where(_this_one, deliveries.c.tries_n == arg("try_n", INTEGER))
    .values(due_at=NOW + arg("pause_s", REAL))
)
_JOB = Query(
    sa.select(jobs.c.number).where(
        jobs.c.id == arg("public_id"), jobs.c.user_id == arg("owner"), jobs.c.pruning_at.is_(None)
    ),
    _Found,
)
_OF_JOB = Query(
    sa.select(*(deliveries.c[name] for name in Delivery._fields))
    .where(deliveries.c.job == arg("of_job", INTEGER))
    .order_by(deliveries.c.sequence),
    Delivery,
)
_TRIES = Query(
    sa.select(*(tries.c[name] for name in Try._fields))
    .where(tries.c.delivery.in_(sa.bindparam("numbers", expanding=True)))
    .order_by(tries.c.delivery, tries.c.n),
    Try,
)
_ADDRESS = Query(
    sa.select(tables.workers.c.url)
    .where(tables.workers.c.url.is_not(None), tables.workers.c.lost_at.is_(None))
    .order_by(tables.workers.c.started_at.desc())
    .limit(1),
    _Address,
)


def plan(tx: Tx, told: Sequence[NewDelivery]) -> None:
    """Make the rows of those events that their callback asked for; they are due at once."""
    wanted = [(e, asked.url) for e in told if (asked := callback.read(e.callback)) and e.type in asked.events]
    if not wanted:
        return
    now = tx.now
    tx.many(_INSERT, [_row(event, url, now) for event, url in wanted])
    tx.wake(TOPIC)


def any_due(tx: Tx) -> bool:
    """Whether a take would find something, read without a lock."""
    return tx.one(_ANY_DUE, at_now=tx.now) is not None


def take_deliveries(tx: Tx, at_most: int) -> list[Taken]:
    """Deliveries for the caller to send now. Those whose last try died with its process end here."""
    taken = tx.all(_TAKE, at_most=at_most, at_now=tx.now)
    worn_out = [row.number for row in taken if row.n > MOST_TRIES]
    tx.many(_END, [{"this_one": number, "verdict": "failed", "at_now": tx.now} for number in sorted(worn_out)])
    return [row for row in taken if row.n <= MOST_TRIES]


def message(tx: Tx, job: int, sequence: int) -> Message | None:
    """What a delivery tells; None if its job is gone, or is going."""
    return tx.one(_MESSAGE, of_job=job, its_sequence=sequence)


def record_try(tx: Tx, tried: Tried) -> None:
    """Write down a try and what follows from it. One that was taken anew meanwhile is put off by its newer try only."""
    now = tx.now
    row = Try(tried.delivery, tried.n, now - tried.took_s, tried.took_s, tried.status, tried.error)
    tx.many(_TRIED, [row._asdict()])
    if tried.is_delivered:
        tx.run(_END, this_one=tried.delivery, verdict="delivered", at_now=now)
    elif tried.is_last or tried.status == GONE or tried.n >= MOST_TRIES:
        tx.run(_END, this_one=tried.delivery, verdict="failed", at_now=now)
    else:
        tx.run(_LATER, this_one=tried.delivery, try_n=tried.n, pause_s=RETRY_AFTER_S[tried.n - 1], at_now=now)


def of_job(tx: Tx, job_id: str, user_id: str) -> list[tuple[Delivery, list[Try]]] | None:
    """The deliveries of a user's job with their tries, in the order of its events; None if there is no such job."""
    job = tx.one(_JOB, public_id=job_id, owner=user_id)
    if job is None:
        return None
    found = tx.all(_OF_JOB, of_job=job.number)
    tried: defaultdict[int, list[Try]] = defaultdict(list)
    for row in tx.all(_TRIES, numbers=[delivery.number for delivery in found]):
        tried[row.delivery].append(row)
    return [(delivery, tried[delivery.number]) for delivery in found]


def serving_address(tx: Tx) -> str | None:
    """Where a server of this installation listens: what links begin with, where no public URL is set."""
    found = tx.one(_ADDRESS)
    return found.url if found else None


def _row(event: NewDelivery, url: str, now: float) -> dict[str, object]:
    values = (f"{event.job_id}_{event.sequence}", event.job, event.sequence, event.type, url, "waiting", now, now)
    return dict(zip(_NEW, values, strict=True))
