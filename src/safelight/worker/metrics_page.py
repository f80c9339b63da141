"""The page that Prometheus reads: what the installation's rows say, and what this process measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from safelight.services import ended_jobs
from safelight.services.counters import Counter
from safelight.services.measures import Measures, measures
from safelight.store.database import Database
from safelight.telemetry.metrics import REGISTRY

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
COUNTED: Final = {
    ended_jobs.JOBS: ("Jobs that ended.", ("type", "status", "provider")),
    ended_jobs.ERRORS: ("Jobs that failed, by the code of their error.", ("type", "code", "provider")),
    ended_jobs.CREDITS: ("Credits that were captured.", ("type", "provider")),
}
"""Counters of the `counters` table that are shown as they are: what they count, and their labels."""


async def page(database: Database) -> bytes:
    """All metrics as text. Raises Unavailable while the database is away."""
    found = await database.read(measures)
    registry = CollectorRegistry()
    registry.register(_OfRows(found))
    return generate_latest(registry) + generate_latest(REGISTRY)


class _OfRows(Collector):
    """Metrics that are equal in every process, made from one look at the rows."""

    def __init__(self, found: Measures) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        found = self._found
        for name, (text, labels) in COUNTED.items():
            yield _counted(name, text, labels, (c for c in found.counters if c.name == name))
        yield _durations(found.counters)
        yield from _queues(found)
        yield from _ledger(found)
        yield from _spent(found)
        yield _gauge("safelight_webhooks_waiting", "Webhooks that wait for a try.", {"": found.webhooks_waiting}, ())
        yield _gauge("safelight_processes", "Processes that are not lost.", found.processes, ("role",))


def _counted(name: str, text: str, labels: tuple[str, ...], found: Iterable[Counter]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for counter in found:
        by_name = counter.labels_by_name
        family.add_metric([by_name.get(label, "") for label in labels], counter.value)
    return family


def _durations(found: Iterable[Counter]) -> Metric:
    """The table has each bucket by itself; Prometheus wants everything up to it."""
    family = HistogramMetricFamily(ended_jobs.DURATION, "How long jobs ran, from their first claim.", labels=["type"])
    buckets: defaultdict[str, dict[str, float]] = defaultdict(dict)
    sums: dict[str, float] = {}
    for counter in found:
        labels = counter.labels_by_name
        if counter.name == ended_jobs.DURATION:
            buckets[labels["type"]][labels["le"]] = counter.value
        elif counter.name == ended_jobs.DURATION_SUM:
            sums[labels["type"]] = counter.value
    for kind, counts in sorted(buckets.items()):
        family.add_metric([kind], list(_up_to(counts)), sums.get(kind, 0.0))
    return family


def _up_to(counts: dict[str, float]) -> Iterator[tuple[str, float]]:
    total = 0.0
    for le in ended_jobs.BOUNDS:
        total += counts.get(le, 0.0)
        yield le, total


def _queues(found: Measures) -> Iterator[Metric]:
    waiting = {q.name: q.ready + q.parked + q.delayed for q in found.queues}
    yield _gauge("queue_depth", "Jobs that wait, also for their time.", waiting, ("queue",))
    yield _gauge("active_jobs", "Jobs that run.", {q.name: q.running for q in found.queues}, ("queue",))
    paused = {q.name: int(q.paused_at is not None) for q in found.queues}
    yield _gauge("safelight_queue_paused", "1 while an operator has paused it.", paused, ("queue",))


def _ledger(found: Measures) -> Iterator[Metric]:
    yield _gauge("safelight_credits_balance", "Credits on all accounts.", {"": found.ledger.balance}, ())
    yield _gauge("safelight_credits_held", "Credits that unfinished jobs hold.", {"": found.ledger.held}, ())
    family = CounterMetricFamily("safelight_ledger_entries_total", "Entries ever written.")
    family.add_metric([], found.ledger.entries)
    yield family


def _spent(found: Measures) -> Iterator[Metric]:
    """A call that was not accepted is taken off again, so these are no counters."""
    usd = {row.provider: row.usd for row in found.spent}
    yield _gauge("safelight_provider_cost_usd", "What calls were expected to cost, ever.", usd, ("provider",))
    calls = {row.provider: row.calls for row in found.spent}
    yield _gauge("safelight_provider_calls", "Calls that were made, ever.", calls, ("provider",))


def _gauge(name: str, text: str, values: dict[str, int] | dict[str, float], labels: tuple[str, ...]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for label, value in values.items():
        family.add_metric([label] if labels else [], value)
    return family
