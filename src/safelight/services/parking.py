"""Parking: jobs that could not run now leave the claim index, so that 100,000 of one capped user cost nobody anything.

A parked job is not `ready`; `waiting_for` says why: `user:NAME` has as many jobs running in this queue as it may, or
`worker:ID` will run it alone; `gate:NAME` lets no calls to that provider through (`gate_parking.py`). Whoever ends a
job lets the next of its user in; the sweep lets in what was missed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import sqlalchemy as sa

from safelight.services.caps import Caps
from safelight.services.moves import IN_ORDER, picked
from safelight.services.sql import INTEGER, TEXT, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, workers = tables.jobs, tables.workers

PARK_AT_ONCE = 200
GROUPS_AT_ONCE = 200


class Ran(Protocol):
    """A job that runs no longer."""

    @property
    def queue(self) -> str: ...
    @property
    def user_id(self) -> str: ...


class Group(NamedTuple):
    """Jobs of one queue that wait for the same."""

    waiting_for: str
    queue: str


FIRST_GROUP = Group("", "")
"""Before every group there can be."""


class _Count(NamedTuple):
    n: int


class _Worker(NamedTuple):
    id: str


IN_FRONT = (
    sa.select(jobs.c.number, jobs.c.user_id, jobs.c.model, jobs.c.provider_pin, jobs.c.resumed_call)
    .where(jobs.c.queue == arg("line"), jobs.c.ready)
    .order_by(*IN_ORDER)
    .limit(2 * PARK_AT_ONCE)
    .subquery()
)
"""The first jobs that could be claimed, more than are parked at once."""


def parking(rows: sa.CTE) -> Change:
    """Takes picked jobs out of the claim index. Argument: reason."""
    of_rows = jobs.c.number.in_(sa.select(rows.c.number))
    return Change(sa.update(jobs).where(of_rows).values(ready=sa.false(), waiting_for=arg("reason")))


def letting_in(rows: sa.CTE) -> Change:
    """Has picked jobs take their turn again; one with an open call goes first, by another index."""
    of_rows = jobs.c.number.in_(sa.select(rows.c.number))
    return Change(sa.update(jobs).where(of_rows).values(ready=sa.not_(jobs.c.resumes), waiting_for=sa.null()))


_to_park = picked(
    sa.select(jobs.c.number)
    .where(jobs.c.number.in_(sa.select(IN_FRONT.c.number).where(IN_FRONT.c.user_id == arg("owner"))), jobs.c.ready)
    .limit(PARK_AT_ONCE),
    "to_park",
)
_PARK = parking(_to_park)
_group = sa.and_(jobs.c.waiting_for == arg("reason"), jobs.c.queue == arg("line"))
_PARKED = Query(sa.select(jobs.c.waiting_for, jobs.c.queue).where(_group).order_by(*IN_ORDER).limit(1), Group)
_to_let_in = picked(
    sa.select(jobs.c.number).where(_group).order_by(*IN_ORDER).limit(arg("at_most", INTEGER)),
    "to_let_in",
)
_LET_IN = letting_in(_to_let_in)
_RUNNING = Query(
    sa.select(sa.func.count()).where(
        jobs.c.queue == arg("line"),
        jobs.c.user_id == arg("owner"),
        sa.or_(jobs.c.status == "processing", jobs.c.resumes),
    ),
    _Count,
)
NEXT_GROUP = Query(
    sa.select(jobs.c.waiting_for, jobs.c.queue)
    .where(
        jobs.c.waiting_for.is_not(None),
        # As one value: an OR of the two would walk through all jobs of the last group to find its end.
        sa.tuple_(jobs.c.waiting_for, jobs.c.queue) > sa.tuple_(arg("reason", TEXT), arg("line", TEXT)),
    )
    .order_by(jobs.c.waiting_for, jobs.c.queue)
    .limit(1),
    Group,
)
_CLAIMS = Query(
    sa.select(workers.c.id).where(
        workers.c.id == arg("worker"), workers.c.lost_at.is_(None), sa.not_(workers.c.draining)
    ),
    _Worker,
)
"""One that drains will never come for what waits for it."""


def capped(user_id: str) -> str:
    """Waits until fewer jobs of its user run."""
    return f"user:{user_id}"


def reserved(worker_id: str) -> str:
    """Waits until that worker has nothing else to do, and then runs there alone."""
    return f"worker:{worker_id}"


def running(tx: Tx, queue: str, user_id: str) -> int:
    """Jobs of a user that run in a queue, or have an open call. Steady for whoever has locked the queue's row."""
    return tx.all(_RUNNING, line=queue, owner=user_id)[0].n


def park(tx: Tx, queue: str, user_id: str) -> int:
    """Take a slice of a capped user's jobs from the front of a queue; how many."""
    return tx.run(_PARK, line=queue, owner=user_id, reason=capped(user_id))


def let_in(tx: Tx, ran: Sequence[Ran]) -> None:
    """As many parked jobs of the same users as have stopped to run take their turn again."""
    freed = Counter(Group(capped(job.user_id), job.queue) for job in ran)
    groups = sorted(freed)
    found = tx.many(_PARKED, [{"reason": g.waiting_for, "line": g.queue} for g in groups])
    for group in (g for g, row in zip(groups, found, strict=True) if row):
        _let_in(tx, group, freed[group])


def let_in_missed(tx: Tx, caps: Caps, after: Group) -> tuple[int, Group]:
    """Look through parked groups, some at a time: how many jobs were let in, and the group to go on after.

    It is FIRST_GROUP when the end was reached.
    """
    moved = 0
    for _ in range(GROUPS_AT_ONCE):
        group = tx.one(NEXT_GROUP, reason=after.waiting_for, line=after.queue)
        if group is None:
            return moved, FIRST_GROUP
        after = group
        if room := _room(tx, group, caps):
            moved += _let_in(tx, group, room)
    return moved, after


def _room(tx: Tx, group: Group, caps: Caps) -> int:
    kind, _, name = group.waiting_for.partition(":")
    if kind == "user":
        cap = caps.of(tx, [name])[name]
        return PARK_AT_ONCE if cap is None else max(0, cap - running(tx, group.queue, name))
    if kind == "gate":
        return 0  # workers let those in: they know which of them they can call for
    return 0 if kind == "worker" and tx.one(_CLAIMS, worker=name) else PARK_AT_ONCE


def _let_in(tx: Tx, group: Group, at_most: int) -> int:
    moved = tx.run(_LET_IN, reason=group.waiting_for, line=group.queue, at_most=at_most)
    if moved:
        tx.wake(f"queue:{group.queue}")
    return moved
