"""The worker of each queue that left last in good order: when nobody serves a queue, whoever looks sees how that came.

What ends without a word keeps its row in `workers`; this is about those that take theirs away.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.sql import INTEGER, NOW, arg
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

departures, workers = tables.departures, tables.workers

STOPPED, TOO_OLD, FAILED = "stopped", "too_old", "failed"
"""Why it left: it was asked to, its release is older than the operator requires, or a part of it died."""


class Departure(NamedTuple):
    """Who left a queue, when, by the database's clock, and why."""

    queue: str
    role: str
    host: str
    pid: int
    version: str
    left_at: float
    reason: str


class Leaver(NamedTuple):
    """Who leaves. `queues` is a JSON list."""

    role: str
    host: str
    pid: int
    version: str
    queues: str


_COLUMNS = Departure._fields
_OPEN = Change(insert_or_ignore(departures, _COLUMNS), columns=_COLUMNS)
_SET = Change(
    sa.update(departures)
    .where(departures.c.queue == arg("of_queue"))
    .values(
        role=arg("its_role"),
        host=arg("its_host"),
        pid=arg("its_pid", INTEGER),
        version=arg("its_version"),
        left_at=NOW,
        reason=arg("why"),
    )
)
_LEAVER = Query(
    sa.select(*(workers.c[name] for name in Leaver._fields)).where(workers.c.id == arg("worker"), workers.c.slots > 0),
    Leaver,
)
_ALL = Query(sa.select(*(departures.c[name] for name in Departure._fields)), Departure)


def note(tx: Tx, leaver: Leaver, reason: str) -> None:
    """Write down that it left each of its queues. Running it twice changes nothing."""
    role, host, pid, version, queues = leaver
    names: Sequence[str] = json.loads(queues)
    tx.many(_OPEN, [Departure(name, role, host, pid, version, tx.now, reason)._asdict() for name in names])
    who = {"its_role": role, "its_host": host, "its_pid": pid, "its_version": version, "why": reason}
    tx.many(_SET, [{"of_queue": name, **who, "at_now": tx.now} for name in names])


def note_by_id(tx: Tx, worker_id: str, reason: str) -> None:
    """The same of a process with a row; one that runs no jobs leaves nothing behind."""
    for leaver in tx.all(_LEAVER, worker=worker_id):
        note(tx, leaver, reason)


def last_departures(tx: Tx) -> dict[str, Departure]:
    """By queue."""
    return {found.queue: found for found in tx.all(_ALL)}
