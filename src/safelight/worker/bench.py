"""What attempts work with, and how long they wait for things."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import SystemRandom

from safelight.catalog.catalog import Catalog
from safelight.events.hub import Hub
from safelight.providers.protocol import Provider
from safelight.storage.assets import AssetStore
from safelight.store.database import Database
from safelight.worker.presence import Presence


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between the things an attempt does again."""

    poll_every_s: float = 2.0
    look_again_s: float = 5.0
    """How long a lost wake-up can hide that a job is no longer wanted."""
    stop_grace_s: float = 5.0
    """How long a provider that was told to stop may take to answer before its task is cancelled."""
    stop_before_deadline_s: float = 15.0
    stop_before_deadline_share: float = 0.2
    """Of the time that is left, at most: a short limit must leave time to work."""
    cancel_within_s: float = 10.0
    """How long a provider may take to hear that a call is no longer wanted."""
    deliver_at_least_s: float = 30.0
    """What was made is worth this much time to store it, however near the deadline is."""
    write_again_s: float = 1.0
    """What was learnt is written again and again while the database is away."""


def today() -> date:
    """The day that decides which routes are still open, the same on every machine."""
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Bench:
    """Shared by all attempts of a process. `random` in 0..1 is the jitter of retries."""

    database: Database
    hub: Hub
    store: AssetStore
    catalog: Catalog
    providers: Mapping[str, Provider]
    presence: Presence
    pace: Pace = Pace()
    random: Callable[[], float] = SystemRandom().random
    today: Callable[[], date] = today
