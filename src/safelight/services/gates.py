"""Gates at work: a call is let through or not, and what came of it is learnt. All workers share them by their rows.

`sending` asks `admit` in its own transaction, with the gates locked before the jobs: so two workers never take the
last place, or the one trial, together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain import gates as rules
from safelight.domain.gates import Gate, Shut, Toll, Verdict
from safelight.services import gate_rows
from safelight.services.spend import Spending, day_of, reserve, spent_usd
from safelight.store import tables
from safelight.store.calls import batch
from safelight.store.statements import Query
from safelight.store.tx import Tx

calls = tables.calls


class Passage(NamedTuple):
    """A call that is to pass a gate; `usd` is what it is expected to cost."""

    call: str
    toll: Toll
    usd: float


class Heard(NamedTuple):
    """What became of a call that passed a gate."""

    toll: Toll
    verdict: Verdict


class _Sent(NamedTuple):
    id: str
    sending_at: float


class _OnTrial(NamedTuple):
    provider: str
    fingerprint: str


_SENT = Query(
    sa.select(calls.c.id, calls.c.sending_at).where(calls.c.id.in_(sa.bindparam("ids", expanding=True))), _Sent
)
_ON_TRIAL = Query(
    sa.select(tables.gates.c.provider, tables.gates.c.fingerprint).where(
        tables.gates.c.trial_call.in_(sa.bindparam("ids", expanding=True))
    ),
    _OnTrial,
)


def admit(tx: Tx, locked: Mapping[str, Gate], passages: Sequence[Passage]) -> dict[str, Shut]:
    """Let calls through their gates, in order; those that may not pass, by call id. The gates are locked.

    A call that passed before, in a transaction whose commit seemed lost, passes again and is not counted twice.
    """
    now, gates = tx.now, dict(locked)
    before = {row.id for row in tx.all(_SENT, ids=[p.call for p in passages])}
    limited = {p.toll.provider for p in passages if p.toll.concurrency is not None}
    open_calls = {provider: gate_rows.open_calls(tx, provider) for provider in sorted(limited)}
    refused: dict[str, Shut] = {}
    for call, toll, usd in (p for p in passages if p.call not in before):
        gate, running = gates[toll.gate_id], open_calls.get(toll.provider, 0)
        shut = rules.hindrance(gate, toll, open_calls=running, costs=usd > 0, now=now)
        if shut is None and usd > 0:
            shut, gate = _pay(tx, gate, toll, usd)
        if shut is None:
            gate = rules.passed(gate, toll, call, now)
            open_calls[toll.provider] = running + 1
        else:
            refused[call] = shut
        gates[toll.gate_id] = gate
    gate_rows.save(tx, [gate for id, gate in gates.items() if gate != locked[id]])
    return refused


def _pay(tx: Tx, gate: Gate, toll: Toll, usd: float) -> tuple[Shut | None, Gate]:
    """Count the call towards the provider's day; one that is too dear for the rest of it waits by itself.

    Where hardly anything is left the gate is shut until midnight.
    """
    if toll.daily_usd is not None and usd > toll.daily_usd:
        return rules.too_dear(toll, usd), gate
    if reserve(tx, Spending(toll.provider, day_of(tx.now), usd, toll.daily_usd)):
        return None, gate
    if alone := rules.no_room(toll, usd, spent_usd(tx, toll.provider, day_of(tx.now))):
        return alone, gate
    gate = rules.spent(gate, toll.daily_usd or 0.0, tx.now)
    return _hindrance(gate, toll, tx.now), gate


@batch
def learn(tx: Tx, news: Sequence[Heard]) -> list[Shut | None]:
    """Gates learn how calls ended; in input order what hinders the next call there, but for the number of open ones."""
    locked = gate_rows.locked(tx, (heard.toll for heard in news))
    gates = dict(locked)
    tripped = [h.verdict.call for h in news if locked[h.toll.gate_id].tripped_at is not None]
    sent = {row.id: row.sending_at for row in tx.all(_SENT, ids=tripped)} if tripped else {}
    for toll, verdict in news:
        gates[toll.gate_id] = rules.heard(gates[toll.gate_id], verdict, tx.now, sent_at=sent.get(verdict.call))
    gate_rows.save(tx, [gate for id, gate in gates.items() if gate != locked[id]])
    return [_hindrance(gates[heard.toll.gate_id], heard.toll, tx.now) for heard in news]


def _hindrance(gate: Gate, toll: Toll, now: float) -> Shut | None:
    return rules.hindrance(gate, toll._replace(concurrency=None), open_calls=0, costs=True, now=now)


def trials_went_well(tx: Tx, call_ids: Sequence[str]) -> None:
    """A provider that accepted a call is there, and takes the key: how the call ends may be heard much later."""
    found = tx.all(_ON_TRIAL, ids=list(call_ids))
    locked = gate_rows.locked(tx, (Toll(row.provider, row.fingerprint) for row in found)) if found else {}
    on_trial = [gate for gate in locked.values() if gate.trial_call in call_ids]
    gate_rows.save(tx, [rules.heard(gate, Verdict(str(gate.trial_call)), tx.now) for gate in on_trial])


def given_back(tx: Tx, locked: Iterable[Gate]) -> None:
    """Their providers' day has become cheaper: the next call finds out whether it fits."""
    gate_rows.save(tx, [rules.refunded(gate) for gate in locked if gate.spent_until is not None])


def open_gates(tx: Tx, provider: str) -> list[Gate]:
    """An operator has the next call try at once; the gates of that provider, as they are then."""
    tolls = [Toll(gate.provider, gate.fingerprint) for gate in gate_rows.all_gates(tx) if gate.provider == provider]
    opened = [rules.opened(gate, tx.now) for gate in gate_rows.locked(tx, tolls).values()] if tolls else []
    gate_rows.save(tx, opened)
    return opened
