"""Where facts come from: what the composition root hands to whoever gathers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from safelight.catalog.catalog import Catalog
from safelight.diagnosis.facts import MachineFacts, Trouble
from safelight.diagnosis.look import IsLive
from safelight.domain.gates import Toll
from safelight.providers.protocol import Provider
from safelight.services.gate_look import toll_at
from safelight.settings import Problem, Settings


def no_hindrance() -> BaseException | None:
    """Of whoever has no database open."""
    return None


@dataclass(frozen=True, slots=True)
class Sources:
    """An installation to be looked at. `asks`: whether providers, sockets and the storage are asked, or only rows.

    `settings` are those that can be used; `problems` is what is wrong with the others.
    """

    settings: Settings
    catalog: Catalog
    providers: Mapping[str, Provider]
    missing: Mapping[str, str]
    is_live: IsLive
    machine: Callable[[], MachineFacts]
    problems: tuple[Problem, ...] = ()
    catalog_trouble: Trouble | None = None
    asks: bool = True
    hindrance: Callable[[], BaseException | None] = no_hindrance
    """Why the process that looks cannot write to its own open database."""
    tolls: tuple[Toll, ...] = field(init=False)
    """The gates of the providers that are set up here."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolls", tolls_of(self.providers, self.catalog, self.settings.daily_spend_usd))

    @property
    def grace_s(self) -> float:
        """How long after its deadline a job may be left alone: two sweeps, and some time to end many."""
        return 2 * self.settings.sweep_seconds + 15.0


def tolls_of(providers: Mapping[str, Provider], catalog: Catalog, daily_usd: float | None) -> tuple[Toll, ...]:
    """What calls have to pass at each of these providers."""
    return tuple(
        toll_at(name, provider.fingerprint, catalog.limits_of(name), daily_usd) for name, provider in providers.items()
    )
