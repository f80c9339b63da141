"""Jobs whose every route is behind a shut gate leave the claim index, and are let in when one opens.

Which gates are shut, and which models that leaves without a route, is what a worker knows from its last look: a hint.
A job parked too early is let in by the next look, one let in too early is sent back by `sending`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.moves import IN_ORDER, picked
from safelight.services.parking import IN_FRONT, NEXT_GROUP, PARK_AT_ONCE, Group, letting_in, parking
from safelight.services.sql import INTEGER, arg
from safelight.store import tables
from safelight.store.tx import Tx

jobs = tables.jobs

PREFIX = "gate:"


class ShutGate(NamedTuple):
    """A provider that takes no calls now, and the models that have no other route here."""

    provider: str
    models: tuple[str, ...]


class Opening(NamedTuple):
    """Of the jobs parked in `group`: those of `models`, or pinned to `provider`, can be called for there again."""

    group: Group
    provider: str
    models: tuple[str, ...]
    at_most: int


_models: sa.BindParameter[str] = sa.bindparam("models", expanding=True)


def _of(model: sa.ColumnElement[str], pin: sa.ColumnElement[str | None]) -> sa.ColumnElement[bool]:
    return sa.or_(sa.and_(pin.is_(None), model.in_(_models)), pin == arg("pinned"))


_to_park = picked(
    sa.select(jobs.c.number)
    .where(
        jobs.c.number.in_(
            sa.select(IN_FRONT.c.number).where(
                _of(IN_FRONT.c.model, IN_FRONT.c.provider_pin), IN_FRONT.c.resumed_call.is_(None)
            )
        ),
        sa.func.coalesce(jobs.c.ready, sa.false()),  # plain, it would make Postgres walk through all ready jobs
    )
    .limit(PARK_AT_ONCE),
    "to_park",
)
_PARK = parking(_to_park)
_to_let_in = picked(
    sa.select(jobs.c.number)
    .where(
        jobs.c.waiting_for == arg("reason"),
        jobs.c.queue == arg("line"),
        _of(jobs.c.model, jobs.c.provider_pin),
    )
    .order_by(*IN_ORDER)
    .limit(arg("at_most", INTEGER)),
    "to_let_in",
)
_LET_IN = letting_in(_to_let_in)


def gate_of(provider: str) -> str:
    """Waits until calls to that provider are let through again."""
    return f"{PREFIX}{provider}"


def provider_of(reason: str | None) -> str | None:
    """Whose gate a job waits for."""
    return reason.removeprefix(PREFIX) if reason is not None and reason.startswith(PREFIX) else None


def park(tx: Tx, queue: str, gate: ShutGate) -> int:
    """Take a slice of the jobs that would have to pass this gate from the front of a queue; how many."""
    values = {"models": list(gate.models), "pinned": gate.provider}
    return tx.run(_PARK, line=queue, reason=gate_of(gate.provider), **values)


def parked(tx: Tx) -> list[Group]:
    """What jobs wait for gates, by gate and queue: one look into an index for each."""
    found, after = list[Group](), Group(PREFIX, "")
    while (group := tx.one(NEXT_GROUP, reason=after.waiting_for, line=after.queue)) and provider_of(group.waiting_for):
        found.append(group)
        after = group
    return found


def let_through(tx: Tx, openings: Sequence[Opening]) -> int:
    """Jobs that can be called for again take their turn; how many."""
    moved = 0
    for group, provider, models, at_most in openings:
        values = {"models": list(models), "pinned": provider, "at_most": at_most}
        if let := tx.run(_LET_IN, reason=group.waiting_for, line=group.queue, **values):
            tx.wake(f"queue:{group.queue}")
            moved += let
    return moved
