"""The rows of gates: read under a lock, written back whole. What changes in them is decided by `domain/gates.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.gates import Gate, Toll
from safelight.services.moves import JOB_HAS_ENDED, OPEN_CALL
from safelight.services.sql import arg
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

gates, calls = tables.gates, tables.calls


class _Count(NamedTuple):
    n: int


class _Id(NamedTuple):
    id: str


_KEY = ("id", "provider", "fingerprint")
_CHANGING = tuple(name for name in Gate._fields if name not in _KEY)
_COLUMNS = tuple(gates.c[name] for name in Gate._fields)
_MAKE = Change(insert_or_ignore(gates, _KEY), columns=_KEY)
_THESE = Query(sa.select(*_COLUMNS).where(gates.c.id.in_(sa.bindparam("ids", expanding=True))), Gate)
_ALL = Query(sa.select(*_COLUMNS).order_by(gates.c.id), Gate)
_IDS_AT = Query(
    sa.select(gates.c.id).where(gates.c.provider.in_(sa.bindparam("providers", expanding=True))).order_by(gates.c.id),
    _Id,
)
_SAVE = Change(
    sa.update(gates)
    .where(gates.c.id == arg("gate"))
    .values({gates.c[name]: arg(f"new_{name}", gates.c[name].type) for name in _CHANGING})
)
_is_over_or_left_alone = sa.and_(JOB_HAS_ENDED, sa.or_(calls.c.state == "unknown", calls.c.check_at.is_(None)))
_OPEN_CALLS = Query(
    sa.select(sa.func.count()).where(OPEN_CALL, calls.c.provider == arg("at"), sa.not_(_is_over_or_left_alone)), _Count
)
"""Walks through the open calls of all providers: there are never many. One that nobody expects anything of any more
does not count for ever."""


def locked(tx: Tx, tolls: Iterable[Toll]) -> dict[str, Gate]:
    """The gates of these tolls by id, made where they are not there yet, and held until the commit."""
    by_id = {toll.gate_id: toll for toll in tolls}
    ids = sorted(by_id)
    there = these(tx, ids)
    made = [by_id[id] for id in ids if id not in there]
    tx.many(_MAKE, [{"id": toll.gate_id, "provider": toll.provider, "fingerprint": toll.fingerprint} for toll in made])
    # Locked last: a row that another transaction made between a lock and a look would be read and not be held.
    tx.lock(gates, ids)
    return these(tx, ids)


def locked_at(tx: Tx, providers: Iterable[str]) -> dict[str, Gate]:
    """All gates of these providers that are there by now, held until the commit."""
    names = sorted(set(providers))
    ids = [row.id for row in tx.all(_IDS_AT, providers=names)] if names else []
    tx.lock(gates, ids)
    return these(tx, ids)


def these(tx: Tx, ids: Sequence[str]) -> dict[str, Gate]:
    """Those that are there, by id."""
    return {gate.id: gate for gate in tx.all(_THESE, ids=list(ids))} if ids else {}


def all_gates(tx: Tx) -> list[Gate]:
    return tx.all(_ALL)


def save(tx: Tx, changed: Iterable[Gate]) -> None:
    """Write back gates that were read under a lock."""
    tx.many(
        _SAVE, [{"gate": gate.id, **{f"new_{name}": getattr(gate, name) for name in _CHANGING}} for gate in changed]
    )


def open_calls(tx: Tx, provider: str) -> int:
    """Calls that the provider may be working on, whoever made them."""
    return tx.all(_OPEN_CALLS, at=provider)[0].n
