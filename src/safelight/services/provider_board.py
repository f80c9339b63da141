"""Every provider at a glance: set up or not, what its gate says, what is allowed there and what was spent today."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.domain import gates as rules
from safelight.domain.clock import as_rfc3339
from safelight.domain.gates import Gate, Toll
from safelight.domain.outcomes import ErrorClass
from safelight.providers.protocol import ProbeResult
from safelight.services import gate_look, gate_rows, presence
from safelight.services.gate_look import Standing
from safelight.services.gate_parking import gate_of
from safelight.services.read_jobs import COUNT_AHEAD
from safelight.services.spend import day_of
from safelight.services.sql import arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, spend = tables.jobs, tables.spend


class Spent(NamedTuple):
    provider: str
    calls: int
    usd: float


class _Count(NamedTuple):
    n: int


class Line(NamedTuple):
    """One provider that some process has."""

    standing: Standing
    spent: Spent
    waiting: int
    """Jobs in front of its gate, up to COUNT_AHEAD."""
    here: bool


class Board(NamedTuple):
    now: float
    lines: tuple[Line, ...]


_SPENT = Query(sa.select(spend.c.provider, spend.c.calls, spend.c.usd).where(spend.c.day == arg("on_day")), Spent)
_WAITING = Query(
    sa.select(sa.func.count()).select_from(
        sa.select(jobs.c.number).where(jobs.c.waiting_for == arg("reason")).limit(COUNT_AHEAD).subquery()
    ),
    _Count,
)


def board(tx: Tx, tolls: Sequence[Toll]) -> Board:
    """Of these providers, and of those that only other live processes have: their limits are not known here."""
    spent = {row.provider: row for row in tx.all(_SPENT, on_day=day_of(tx.now))}
    gates = {gate.id: gate for gate in gate_rows.all_gates(tx)}
    here = {toll.provider for toll in tolls}
    there = {name for p in presence.processes(tx) if p.lost_at is None for name in p.provider_names} - here
    lines = []
    for toll in (*tolls, *(_latest(gates, name) for name in sorted(there))):
        gate = gates.get(toll.gate_id) or Gate(toll.gate_id, toll.provider, toll.fingerprint)
        waiting = tx.all(_WAITING, reason=gate_of(toll.provider))[0].n
        day = spent.get(toll.provider) or Spent(toll.provider, 0, 0.0)
        lines.append(Line(gate_look.stand(tx, gate, toll), day, waiting, toll.provider in here))
    return Board(tx.now, tuple(lines))


def _latest(gates: Mapping[str, Gate], provider: str) -> Toll:
    """The gate that had the latest trouble: which key is in use elsewhere is not known."""
    found = [gate for gate in gates.values() if gate.provider == provider]
    last = max(found, key=lambda gate: gate.failed_at or 0.0, default=None)
    return Toll(provider, last.fingerprint if last else "", daily_usd=last.spent_ceiling if last else None)


def provider_body(line: Line, now: float, probe: ProbeResult | None = None) -> dict[str, Any]:
    """As `GET /api/health/providers` shows it. What only a look at the provider can tell is null without `probe`."""
    gate, toll, shut = line.standing.gate, line.standing.toll, line.standing.shut
    return {
        "provider": toll.provider,
        "configured": True,
        "missing": None,
        "key": _key(line, probe),
        "money": probe.has_money if probe else False if _tripped_by(gate, ErrorClass.OUT_OF_CREDIT) else None,
        "reachable": probe.reachable if probe else None,
        "message": probe.message or None if probe else None,
        "breaker": str(rules.breaker(gate, now)),
        "shut": None if shut is None else {"cause": str(shut.cause), "why": shut.why, "until": _time(shut.until)},
        "cooldownUntil": _time(gate.cooldown_until if (gate.cooldown_until or 0.0) > now else None),
        "limits": {
            "concurrency": toll.concurrency,
            "requestsPerMinute": toll.per_minute,
            "dailyUsd": toll.daily_usd,
        },
        "openCalls": line.standing.open_calls if toll.concurrency is not None else None,
        "spendTodayUsd": round(line.spent.usd, 6),
        "callsToday": line.spent.calls,
        "jobsWaiting": line.waiting,
        "lastError": _last_error(gate),
    }


_NO_KEY = re.compile(r"no [A-Z0-9_]+")
"""As `adapters` says that a setting is missing; what needs no key lacks something else, such as an extra."""


def missing_body(provider: str, missing: str) -> dict[str, Any]:
    """One that nobody has set up."""
    blank = dict.fromkeys(
        ("money", "reachable", "message", "breaker", "shut", "cooldownUntil", "openCalls", "lastError")
    )
    limits = {"concurrency": None, "requestsPerMinute": None, "dailyUsd": None}
    key = "missing" if _NO_KEY.fullmatch(missing) else "none"
    known = {"provider": provider, "configured": False, "missing": missing, "key": key, "limits": limits}
    return {**known, **blank, "spendTodayUsd": 0.0, "callsToday": 0, "jobsWaiting": 0}


def _key(line: Line, probe: ProbeResult | None) -> str:
    gate = line.standing.gate
    if line.here and not gate.fingerprint:
        return "none"
    if probe is not None and probe.key_valid is not None:
        return "ok" if probe.key_valid else "bad"
    return "bad" if _tripped_by(gate, ErrorClass.UNAUTHORIZED) else "unknown"


def _tripped_by(gate: Gate, error_class: ErrorClass) -> bool:
    return gate.tripped_at is not None and gate.error_class == error_class


def _last_error(gate: Gate) -> dict[str, Any] | None:
    if gate.failed_at is None:
        return None
    return {"class": gate.error_class, "message": gate.reason, "at": as_rfc3339(gate.failed_at)}


def _time(at_s: float | None) -> str | None:
    return None if at_s is None else as_rfc3339(at_s)
