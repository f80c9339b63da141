"""What is known of one job and of what it waits for: plain frozen values. Times by the database's clock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from safelight.diagnosis.facts import WorkerFacts
from safelight.domain.jobs import LIVE, EventType
from safelight.events.log import StoredEvent
from safelight.services.deliveries import Delivery, Try
from safelight.services.departures import Departure
from safelight.services.durations import Duration
from safelight.services.gate_look import Standing
from safelight.services.read_jobs import Place
from safelight.services.recoveries import Touched


class JobRow(NamedTuple):
    """Its row, without what was asked for."""

    number: int
    id: str
    user_id: str
    kind: str
    model: str
    provider_pin: str | None
    queue: str
    priority: int
    status: str
    stage: str
    progress: float
    error: str | None
    ready: bool
    waiting_for: str | None
    due_at: float | None
    vstart: float
    resumes: bool
    worker_id: str | None
    attempt: int
    max_attempts: int
    lost_n: int
    claimed_at: float | None
    created_at: float
    start_at: float
    started_at: float | None
    finished_at: float | None
    deadline_at: float
    cancel_requested_at: float | None
    price: int
    captured: int
    resumed_call: str | None
    callback: str | None

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def failure(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.error) if self.error else {}
        return found


class CallRow(NamedTuple):
    """A call at a provider."""

    id: str
    attempt: int
    provider: str
    model: str
    state: str
    remote_id: str | None
    worker_id: str
    sending_at: float
    accepted_at: float | None
    ended_at: float | None
    unknown_at: float | None
    error: str | None
    cost_usd: float | None

    @property
    def is_open(self) -> bool:
        return self.state in ("sending", "accepted", "unknown")


class QueueRow(NamedTuple):
    name: str
    paused_at: float | None
    pause_reason: str | None


class Routes(NamedTuple):
    """What the catalog says of its model: providers that make it, and those that no longer do."""

    providers: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    successor: str | None = None
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class JobFacts:
    """Everything. `here` is the facts of whoever looks: what it lacks for providers, how much disk is free."""

    now: float
    job: JobRow
    queue: QueueRow | None = None
    events: tuple[StoredEvent, ...] = ()
    calls: tuple[CallRow, ...] = ()
    place: Place | None = None
    processes: tuple[WorkerFacts, ...] = ()
    gates: Mapping[str, Standing] = field(default_factory=dict)
    """By provider, of those that could make it."""
    routes: Routes = Routes()  # noqa: RUF009  # a frozen value
    usual: Duration | None = None
    deliveries: tuple[tuple[Delivery, tuple[Try, ...]], ...] = ()
    recoveries: tuple[Touched, ...] = ()
    """What operators planned for it together with others."""
    running_of_user: int = 0
    left: Departure | None = None
    """The worker that left its queue last in good order."""
    required_version: str | None = None
    items: Mapping[str, int] | None = None
    """Of a batch: how many of its items stand how."""
    item: JobFacts | None = None
    """Of a batch that lives: the one of its items that tells most."""
    missing: Mapping[str, str] = field(default_factory=dict)
    free_bytes: int | None = None
    lease_s: float = 30.0
    sweep_s: float = 5.0

    @property
    def servers(self) -> tuple[WorkerFacts, ...]:
        """Live workers that take jobs of its queue."""
        return tuple(w for w in self.processes if w.takes_jobs and self.job.queue in w.process.queue_names)

    @property
    def last_seen(self) -> WorkerFacts | None:
        """Whoever served its queue and beat last."""
        found = [w for w in self.processes if w.process.slots and self.job.queue in w.process.queue_names]
        return max(found, key=lambda worker: worker.process.beat_at, default=None)

    @property
    def holder(self) -> WorkerFacts | None:
        """The process that holds it, if it has a row."""
        return next((w for w in self.processes if w.process.id == self.job.worker_id), None)

    @property
    def open_call(self) -> CallRow | None:
        return next((call for call in reversed(self.calls) if call.is_open), None)

    @property
    def last_return(self) -> dict[str, Any]:
        """Why it went back to its queue the last time: `reason`, `code`, `due_at`."""
        back = (EventType.RETRYING, EventType.REQUEUED)
        return next((event.details for event in reversed(self.events) if event.type in back), {})

    @property
    def runs_since(self) -> float | None:
        """When what it does now began: its call, else its claim."""
        call = self.open_call
        return call.sending_at if call else self.job.claimed_at or self.job.started_at

    @property
    def somebody_sweeps(self) -> bool:
        patience_s = max(60.0, 6 * self.sweep_s)
        return any(
            self.now - max(w.process.swept_at or 0.0, w.process.started_at) <= patience_s
            for w in self.processes
            if w.live
        )
