"""What attempts work with, and how long they wait for things."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from random import Random

from safelight.catalog.catalog import Catalog
from safelight.catalog.limits import NO_LIMITS
from safelight.domain.gates import Toll
from safelight.domain.unknown import UnknownPolicy
from safelight.events.hub import Hub
from safelight.providers.protocol import Provider
from safelight.services.caps import CapBook
from safelight.services.gate_look import toll_at
from safelight.services.gate_parking import ShutGate
from safelight.storage.assets import AssetStore
from safelight.store.database import Database
from safelight.worker.fetching import Fetching
from safelight.worker.gate_view import GateView
from safelight.worker.passable import open_route, shut_gates
from safelight.worker.presence import Presence


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between the things an attempt does again."""

    first_poll_s: float = 0.5
    """From acceptance to the first question; the pauses grow from there."""
    poll_every_s: float = 1.5
    """The longest pause, so that no answer lies there for 2 s."""
    look_again_s: float = 60.0
    """How long a call waits to be woken before it waits again: the look of the whole process comes much sooner."""
    stop_grace_s: float = 5.0
    """How long a provider that was told to stop may take to answer before its task is cancelled."""
    stop_before_deadline_s: float = 15.0
    stop_before_deadline_share: float = 0.2
    """Of the time that is left, at most: a short limit must leave time to work."""
    cancel_within_s: float = 10.0
    """How long a provider may take to hear that a call is no longer wanted."""
    deliver_at_least_s: float = 30.0
    """What was made is worth this much time to store it, however near the deadline is."""
    store_again_s: float = 2.0
    """Between two tries to store what was paid for."""
    store_for_s: float = 120.0
    """How long that is tried, as far as the deadline allows."""
    say_uploading_after_s: float = 0.5
    """A delivery that takes longer is shown as a stage of its own."""
    find_within_s: float = 10.0
    """How long a provider may take to say whether it knows a call."""
    write_again_s: float = 1.0
    """What was learnt is written again and again while the database is away."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator decides about calls."""

    unknown: UnknownPolicy = UnknownPolicy.RECONCILE
    reconcile_s: float = 600.0
    """How long an unknown call is looked for before its job fails."""
    daily_spend_usd: float | None = None
    """What each provider's calls may be expected to cost per UTC day."""


def today() -> date:
    """The day that decides which routes are still open, the same on every machine."""
    return datetime.now(UTC).date()


def nowhere(provider: str, call_id: str) -> str | None:
    """Providers cannot reach us."""
    return None


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
    rules: Rules = Rules()
    caps: CapBook = field(default_factory=CapBook)
    """How many jobs of one user may run."""
    fetching: Fetching = field(default_factory=Fetching)
    random: Callable[[], float] = Random().random  # noqa: S311 - jitter; the system's is slow among busy threads
    today: Callable[[], date] = today
    callback_url: Callable[[str, str], str | None] = nowhere
    """Where a provider may announce a call, by the names of both; None where it could not reach us."""

    gates: GateView = field(default_factory=GateView)

    def runnable_models(self) -> tuple[str, ...]:
        """What this process can run today: others are left to workers that have their provider, or know them."""
        day = self.today()
        return tuple(m.id for m in self.catalog.models if m.usable_route(configured=self.providers, today=day))

    def passable_models(self) -> tuple[str, ...]:
        """Of those, the ones that some gate lets through now."""
        day = self.today()
        return tuple(m.id for m in self.catalog.models if open_route(m, self.providers, day, self.gates))

    def shut_gates(self) -> tuple[ShutGate, ...]:
        """Gates that let nothing through, with the models that have no other way."""
        if not self.gates.shut:
            return ()
        return shut_gates(self.catalog.models, self.providers, self.today(), self.gates)

    def toll(self, provider: str, usd: float | None) -> Toll | None:
        """What a call has to pass there. A local provider has no gate unless it costs or is limited."""
        adapter, limits = self.providers[provider], self.catalog.limits_of(provider)
        if adapter.repeatable and not usd and limits == NO_LIMITS:
            return None
        return toll_at(provider, adapter.fingerprint, limits, self.rules.daily_spend_usd)

    def tolls(self) -> list[Toll]:
        """Of all providers here that have a gate for some of their models."""
        priced = {route.provider for model in self.catalog.models for route in model.routes if route.costs}
        found = (self.toll(name, 1.0 if name in priced else None) for name in sorted(self.providers))
        return [toll for toll in found if toll]
