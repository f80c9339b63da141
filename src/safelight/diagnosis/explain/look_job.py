"""Read everything about one job in one consistent look; each statement finds its few rows by an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from safelight.catalog.catalog import Catalog
from safelight.diagnosis.explain.job_facts import CallRow, JobFacts, JobRow, QueueRow, Routes
from safelight.diagnosis.facts import WorkerFacts
from safelight.diagnosis.look import IsLive
from safelight.domain.gates import Gate, Toll
from safelight.events.log import StoredEvent
from safelight.services import deliveries, durations, gate_look, gate_rows, parking, presence, read_items, read_jobs
from safelight.services.departures import last_departures
from safelight.services.gate_look import Standing
from safelight.services.gate_parking import provider_of
from safelight.services.recoveries import of_job
from safelight.services.required_version import required_version
from safelight.services.sql import INTEGER, arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, calls, events, queues = tables.jobs, tables.calls, tables.events, tables.queues


@dataclass(frozen=True, slots=True)
class Onlooking:
    """What whoever looks knows beside the rows. `tolls`: the gates of its providers."""

    catalog: Catalog
    tolls: tuple[Toll, ...]
    missing: Mapping[str, str]
    is_live: IsLive
    lease_s: float = 30.0
    sweep_s: float = 5.0
    free_bytes: int | None = None


class _Id(NamedTuple):
    id: str


_ROW = [jobs.c[name] for name in JobRow._fields]
_JOB = Query(sa.select(*_ROW).where(jobs.c.id == arg("public_id"), jobs.c.pruning_at.is_(None)), JobRow)
_QUEUE = Query(
    sa.select(queues.c.name, queues.c.paused_at, queues.c.pause_reason).where(queues.c.name == arg("line")), QueueRow
)
_CALLS = Query(
    sa.select(*(calls.c[name] for name in CallRow._fields))
    .where(calls.c.job == arg("of_job", INTEGER))
    .order_by(calls.c.number),
    CallRow,
)
_EVENTS = Query(
    sa.select(*(events.c[name] for name in StoredEvent._fields))
    .where(events.c.job == arg("of_job", INTEGER))
    .order_by(events.c.sequence),
    StoredEvent,
)
_LIVE_ITEM = Query(
    sa.select(jobs.c.id)
    .where(jobs.c.parent == arg("batch", INTEGER), jobs.c.status.in_(["pending", "processing"]))
    .order_by(jobs.c.number)
    .limit(1),
    _Id,
)
_FAILED_ITEM = Query(
    sa.select(jobs.c.id)
    .where(jobs.c.parent == arg("batch", INTEGER), jobs.c.status == "failed")
    .order_by(jobs.c.number)
    .limit(1),
    _Id,
)


def look_at_job(tx: Tx, job_id: str, onlooking: Onlooking) -> JobFacts | None:
    """None if there is no such job, or it is being removed."""
    job = tx.one(_JOB, public_id=job_id)
    if job is None:
        return None
    now = tx.now
    workers = tuple(WorkerFacts(process, onlooking.is_live(process, now)) for process in presence.processes(tx))
    routes = routes_of(onlooking.catalog, job)
    facts = JobFacts(
        now=now,
        job=job,
        queue=tx.one(_QUEUE, line=job.queue) if job.queue else None,
        events=tuple(tx.all(_EVENTS, of_job=job.number)),
        calls=tuple(tx.all(_CALLS, of_job=job.number)),
        place=_place(tx, job),
        processes=workers,
        gates=_gates(tx, _in_front_of(job, routes), onlooking.tolls),
        routes=routes,
        usual=durations.known(tx).get(job.model),
        deliveries=_deliveries(tx, job),
        recoveries=tuple(of_job(tx, job.number)),
        running_of_user=parking.running(tx, job.queue, job.user_id) if job.is_live and job.queue else 0,
        left=last_departures(tx).get(job.queue),
        required_version=required_version(tx),
        missing=onlooking.missing,
        free_bytes=onlooking.free_bytes,
        lease_s=onlooking.lease_s,
        sweep_s=onlooking.sweep_s,
    )
    return _with_items(tx, facts, onlooking) if job.kind == "batch" else facts


def routes_of(catalog: Catalog, job: JobRow) -> Routes:
    """Who could make what the job wants."""
    model = catalog.by_name.get(job.model)
    if model is None:
        return Routes(is_known=False)
    today = datetime.now(UTC).date()
    wanted = [route for route in model.routes if job.provider_pin in (None, route.provider)]
    return Routes(
        tuple(dict.fromkeys(route.provider for route in wanted if not route.is_over(today))),
        tuple(dict.fromkeys(route.provider for route in wanted if route.is_over(today))),
        model.successor,
    )


def _place(tx: Tx, job: JobRow) -> read_jobs.Place | None:
    """Also of a job that is not in the line: how many work there."""
    if not job.is_live or not job.queue:
        return None
    return read_jobs.place(tx, job.queue, own_priority=job.priority, own_vstart=job.vstart, own_number=job.number)


def _in_front_of(job: JobRow, routes: Routes) -> list[str]:
    """Providers whose gates matter to it: those that could make it, and the one it waits for."""
    at = provider_of(job.waiting_for)
    return list(dict.fromkeys((*([at] if at else []), *routes.providers))) if job.is_live else []


def _gates(tx: Tx, providers: Sequence[str], tolls: Sequence[Toll]) -> dict[str, Standing]:
    """How the gates of these providers stand; of one that is not set up here, that with the latest trouble."""
    rows = gate_rows.all_gates(tx)
    found = {}
    for name in providers:
        toll = next((toll for toll in tolls if toll.provider == name), None)
        gates = [gate for gate in rows if (gate.id == toll.gate_id if toll else gate.provider == name)]
        gate = max(gates, key=lambda each: each.failed_at or 0.0, default=None)
        toll = toll or Toll(name, gate.fingerprint if gate else "")
        found[name] = gate_look.stand(tx, gate or Gate(toll.gate_id, name, toll.fingerprint), toll)
    return found


def _deliveries(tx: Tx, job: JobRow) -> tuple[tuple[deliveries.Delivery, tuple[deliveries.Try, ...]], ...]:
    found = deliveries.of_job(tx, job.id, job.user_id) if job.callback else None
    return tuple((delivery, tuple(tries)) for delivery, tries in found or ())


def _with_items(tx: Tx, facts: JobFacts, onlooking: Onlooking) -> JobFacts:
    """A batch is explained by its items: the first that lives, else the first that failed."""
    batch = facts.job.number
    item = tx.one(_LIVE_ITEM if facts.job.is_live else _FAILED_ITEM, batch=batch)
    sums = read_items.sums_of(tx, [batch]).get(batch)
    return replace(
        facts,
        items=sums.by_status if sums else {},
        item=look_at_job(tx, item.id, onlooking) if item else None,
    )
