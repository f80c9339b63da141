"""What is known of an installation at one moment: plain frozen values, so that every rule is tested without I/O.

A part that could not be looked at says so: `trouble` is a fact like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from safelight.domain.errors import Remedy
from safelight.providers.protocol import ProbeResult
from safelight.services.departures import Departure
from safelight.services.gate_look import Standing
from safelight.services.presence import Process
from safelight.settings import Problem

MINUTE_S, HOUR_S = 60.0, 3_600.0


class Trouble(NamedTuple):
    """Why a look at something brought nothing, or bad news."""

    what: str
    remedy: Remedy
    kind: str = "failed"
    """`denied`, `no_bucket`, `full`, `timeout` or `failed`."""


class Thresholds(NamedTuple):
    """From where on something is trouble; the settings SAFELIGHT_ALERT_…"""

    backlog: int = 100
    backlog_s: float = 60.0
    errors: int = 10
    error_share: float = 0.05
    slow_times: float = 2.0
    restarts: int = 3
    memory_share: float = 0.8
    credits_times: float = 3.0


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, as far as they can be used, and what is wrong with them and with the catalog."""

    problems: tuple[Problem, ...] = ()
    catalog_trouble: Trouble | None = None
    host: str = "127.0.0.1"
    public_url: str | None = None
    socket_url: str | None = None
    weak_secrets: tuple[str, ...] = ()
    """Settings whose value anybody could guess."""
    callers_back: tuple[str, ...] = ()
    """Providers in use that announce by themselves what became of a call."""
    expected_workers: Mapping[str, int] = field(default_factory=dict)
    lease_s: float = 30.0
    sweep_s: float = 5.0
    thresholds: Thresholds = Thresholds()  # noqa: RUF009  # a frozen value


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """The database as seen from here. `schema` is None where there is none yet."""

    where: str = ""
    exists: bool = True
    trouble: Trouble | None = None
    schema: str | None = None
    needed: str = ""
    is_newer: bool = False
    took_s: float = 0.0
    clock_ahead_s: float = 0.0
    """How far the database's clock is ahead of this machine's."""
    writer_pid: int | None = None
    writer_since_s: float = 0.0
    """For how long that process has kept the right to write, on SQLite."""
    wal_bytes: int = 0

    @property
    def is_migrated(self) -> bool:
        return self.schema == self.needed


class QueueFacts(NamedTuple):
    """A queue. Jobs waiting are ready or parked; `waiting_since` is of the oldest that is due."""

    name: str
    paused_at: float | None = None
    pause_reason: str | None = None
    ready: int = 0
    delayed: int = 0
    parked: int = 0
    running: int = 0
    waiting_since: float | None = None
    credits_held: int = 0
    """By jobs that wait."""
    per_minute: float = 0.0
    """Jobs that ended lately."""
    usual_s: float | None = None
    """What one of those in front usually needs, where that is known."""

    @property
    def waiting(self) -> int:
        return self.ready + self.parked


class WorkerFacts(NamedTuple):
    """A process by its row. `live`: it beats and, on this machine, exists."""

    process: Process
    live: bool

    @property
    def takes_jobs(self) -> bool:
        return self.live and self.process.slots > 0 and not self.process.draining


class Group(NamedTuple):
    """Jobs that have something in common, such as a deadline that is over; `oldest_s` is how long ago that began."""

    jobs: int = 0
    credits: int = 0
    oldest_s: float = 0.0


NONE = Group()


class ModelWait(NamedTuple):
    """Jobs at the front of a queue that want the same model."""

    queue: str
    model: str
    provider_pin: str | None
    jobs: int
    credits: int


class ErrorCount(NamedTuple):
    """Jobs of the last hour that ended alike. `code` and `provider` are the error's, of failed ones."""

    status: str
    code: str | None
    provider: str | None
    jobs: int
    credits: int


class SlowModel(NamedTuple):
    """Running jobs of a model that have taken more than twice what all but one in twenty of it needed."""

    model: str
    jobs: int
    longest_s: float
    p95_s: float


class Receiver(NamedTuple):
    """Where webhooks went lately: `host` of their address."""

    host: str
    failed: int
    """Given up within the hour."""
    retrying: int
    delivered: int
    last_error: str | None = None
    job_id: str | None = None
    """Of a job that it does not know of."""


class Spending(NamedTuple):
    """Credits that jobs used within the last hour, and in the mean hour of up to seven days before it."""

    last_hour: int = 0
    mean: float = 0.0
    hours: int = 0
    """Of how many hours that is the mean."""
    most_of: str | None = None
    """The user who used most of it."""
    of_them: int = 0


class ModelEnd(NamedTuple):
    """A model in use that its provider shuts down soon, or has."""

    model: str
    provider: str
    on: str
    days: int
    successor: str | None
    in_use: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """What the rows say, in one consistent look; times by the database's clock."""

    now: float
    queues: tuple[QueueFacts, ...] = ()
    workers: tuple[WorkerFacts, ...] = ()
    past_deadline: Group = NONE
    waits: tuple[ModelWait, ...] = ()
    ended: tuple[ErrorCount, ...] = ()
    slow: tuple[SlowModel, ...] = ()
    receivers: tuple[Receiver, ...] = ()
    spending: Spending = Spending()  # noqa: RUF009  # a frozen value
    held_by_accounts: int = 0
    held_by_jobs: int = 0
    jobs_ever: int = 0
    live_jobs: Group = NONE
    departed: Mapping[str, Departure] = field(default_factory=dict)
    """By queue the worker that left last in good order."""
    required_version: str | None = None
    maintenance: str | None = None

    @property
    def live(self) -> tuple[WorkerFacts, ...]:
        return tuple(worker for worker in self.workers if worker.live)

    def servers_of(self, queue: str) -> tuple[WorkerFacts, ...]:
        """Live workers that take jobs of a queue."""
        return tuple(w for w in self.workers if w.takes_jobs and queue in w.process.queue_names)

    def left_last(self, queue: str) -> Departure | None:
        """The worker of a queue that was there last, if that one left in good order."""
        left, last = self.departed.get(queue), self.last_seen(queue)
        return left if left is not None and (last is None or left.left_at > last.beat_at) else None

    def is_stopping(self, queue: str) -> bool:
        """Whether a worker of it was asked to stop and is about to: a restart, on purpose."""
        return any(w.live and w.process.draining and queue in w.process.queue_names for w in self.workers)

    def last_seen(self, queue: str) -> Process | None:
        """The worker of a queue that beat last, if it is not live; it may be draining."""
        found = [w.process for w in self.workers if w.process.slots and queue in w.process.queue_names]
        return max(found, key=lambda process: process.beat_at, default=None)


@dataclass(frozen=True, slots=True)
class StorageFacts:
    """Where files are kept. `free_bytes` is of the fullest disk that jobs need; None where none is limited."""

    where: str = ""
    exists: bool = True
    trouble: Trouble | None = None
    free_bytes: int | None = None
    took_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """A provider: set up here or not, its gate as its row has it, and what it said of itself if it was asked."""

    name: str
    missing: str | None = None
    """What it lacks to be set up, in words (`no OPENAI_API_KEY`)."""
    standing: Standing | None = None
    jobs_waiting: int = 0
    """In front of its gate."""
    probe: ProbeResult | None = None


@dataclass(frozen=True, slots=True)
class SocketFacts:
    """An attempt to open the socket of live updates. `configured`: a setting names it, else it is worked out."""

    url: str
    configured: bool
    trouble: str | None = None
    server_url: str | None = None
    """Of a live server, by its row."""


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """The machine of whoever looks."""

    host: str = ""
    memory_bytes: int | None = None
    now: float = 0.0


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything. `rows` is None where the database could not be read."""

    machine: MachineFacts = MachineFacts()
    configuration: Configuration = Configuration()
    database: DatabaseFacts = DatabaseFacts()
    rows: Rows | None = None
    storage: StorageFacts = StorageFacts()
    providers: tuple[ProviderFacts, ...] = ()
    models_ending: tuple[ModelEnd, ...] = ()
    routes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By model, the providers that make it."""
    socket: SocketFacts | None = None

    def providers_of(self, wait: ModelWait) -> tuple[str, ...]:
        """Those that could make what these jobs want; none for a model that the catalog does not know."""
        return (wait.provider_pin,) if wait.provider_pin else self.routes.get(wait.model, ())
