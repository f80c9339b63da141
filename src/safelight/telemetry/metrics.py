"""What this very process measures. What concerns the installation comes from rows, when somebody asks.

Labels are bounded: names of queues, providers, outcomes; never a user, a job or a text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from safelight.domain.clock import local_s

P = ParamSpec("P")
T = TypeVar("T")

REGISTRY: Final = CollectorRegistry()
_QUICK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LONG_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0)

SUBMIT: Final = Histogram(
    "safelight_submit_seconds",
    "From a request that was read to a job that is durable, or to its refusal.",
    ["outcome"],
    buckets=_QUICK_S,
    registry=REGISTRY,
)
CLAIM: Final = Histogram(
    "safelight_claim_seconds", "How long a claim took, with or without jobs.", buckets=_QUICK_S, registry=REGISTRY
)
CLAIMED: Final = Counter("safelight_claimed_jobs", "Jobs that this process claimed.", ["queue"], registry=REGISTRY)
QUEUE_WAIT: Final = Histogram(
    "safelight_queue_wait_seconds",
    "From when a job might start to its first claim.",
    ["queue"],
    buckets=_LONG_S,
    registry=REGISTRY,
)
PROVIDER_CALL: Final = Histogram(
    "safelight_provider_call_seconds",
    "How long calls of providers took, polls and waiting included.",
    ["provider", "outcome"],
    buckets=_LONG_S,
    registry=REGISTRY,
)
EVENT_LAG: Final = Histogram(
    "safelight_event_lag_seconds",
    "From when an event was stored to when a subscriber of this process was given it.",
    buckets=_QUICK_S,
    registry=REGISTRY,
)
SUBSCRIBERS: Final = Gauge("safelight_subscribers", "Who follows a job at this process now.", registry=REGISTRY)
LOOP_LAG: Final = Gauge(
    "safelight_loop_lag_seconds", "The longest that the event loop was late since the last beat.", registry=REGISTRY
)
SWEEP: Final = Histogram(
    "safelight_sweep_seconds", "How long a sweep took.", ["thorough"], buckets=_QUICK_S, registry=REGISTRY
)
SWEPT: Final = Counter("safelight_swept", "What sweeps of this process did.", ["outcome"], registry=REGISTRY)
WEBHOOK_TRIES: Final = Counter(
    "safelight_webhook_tries", "Webhooks that this process sent.", ["outcome"], registry=REGISTRY
)
ProcessCollector(registry=REGISTRY)


@contextmanager
def timed(histogram: Histogram) -> Iterator[None]:
    """Observe how long the block takes, also one that raises."""
    began_s = local_s()
    try:
        yield
    finally:
        histogram.observe(local_s() - began_s)


def submits(work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """A submit, measured: whatever it raises is a refusal."""

    @wraps(work)
    async def measured(*args: P.args, **kwargs: P.kwargs) -> T:
        began_s, outcome = local_s(), "refused"
        try:
            answer = await work(*args, **kwargs)
            outcome = "accepted"
            return answer
        finally:
            SUBMIT.labels(outcome).observe(local_s() - began_s)

    return measured
