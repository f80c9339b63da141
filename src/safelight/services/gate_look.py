"""What a worker sees when it looks at the gates: how they stand, what waits for them, and what others can reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from safelight.catalog.limits import ProviderLimits
from safelight.domain import gates as rules
from safelight.domain.gates import Gate, Shut, Toll
from safelight.services import gate_parking, gate_rows, presence
from safelight.services.parking import PARK_AT_ONCE, Group
from safelight.store.tx import Tx


class Standing(NamedTuple):
    """How one gate stands. `room`: how many calls could pass, as far as can be told; 0 while it is shut."""

    gate: Gate
    toll: Toll
    open_calls: int
    shut: Shut | None
    room: int


class Seen(NamedTuple):
    now: float
    standings: tuple[Standing, ...]
    parked: tuple[Group, ...]
    elsewhere: frozenset[str]
    """Providers that other live workers have."""


def toll_at(provider: str, fingerprint: str, limits: ProviderLimits, daily_usd: float | None) -> Toll:
    """What calls have to pass there. `daily_usd` is every provider's ceiling, where its own limits name none."""
    ceiling = daily_usd if limits.daily_usd is None else limits.daily_usd
    return Toll(provider, fingerprint, limits.concurrency, limits.requests_per_minute, ceiling)


def look(tx: Tx, tolls: Sequence[Toll], worker_id: str) -> Seen:
    """Read only; a gate that no call has passed yet is as good as new."""
    found = gate_rows.these(tx, [toll.gate_id for toll in tolls])
    fresh = {toll.gate_id: Gate(toll.gate_id, toll.provider, toll.fingerprint) for toll in tolls}
    standings = tuple(stand(tx, {**fresh, **found}[toll.gate_id], toll) for toll in tolls)
    others = [p for p in presence.processes(tx) if p.slots and p.lost_at is None and p.id != worker_id]
    elsewhere = frozenset(name for process in others for name in process.provider_names)
    return Seen(tx.now, standings, tuple(gate_parking.parked(tx)), elsewhere)


def stand(tx: Tx, gate: Gate, toll: Toll) -> Standing:
    """How a gate stands now."""
    running = 0 if toll.concurrency is None else gate_rows.open_calls(tx, toll.provider)
    shut = rules.hindrance(gate, toll, open_calls=running, costs=True, now=tx.now)
    room = rules.room(gate, toll, open_calls=running, costs=True, now=tx.now, at_most=PARK_AT_ONCE)
    return Standing(gate, toll, running, shut, room)
