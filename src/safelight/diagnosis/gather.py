"""Gather the facts: everything at once, each look with its own time, the whole within five seconds."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, NamedTuple

from safelight.catalog.model import Model
from safelight.diagnosis.bounded import in_thread, looked_at
from safelight.diagnosis.facts import DatabaseFacts, Facts, ModelEnd, ProviderFacts, SocketFacts, StorageFacts, Trouble
from safelight.diagnosis.gather_configuration import configuration
from safelight.diagnosis.gather_database import Examined, examine
from safelight.diagnosis.gather_socket import CLOSES_WITHIN_S, socket_of, try_socket
from safelight.diagnosis.gather_storage import look_at_storage
from safelight.diagnosis.look import Look
from safelight.diagnosis.sources import Sources
from safelight.domain.clock import local_s
from safelight.domain.errors import Remedy, SafelightError
from safelight.providers.protocol import ProbeResult, Provider
from safelight.services.provider_board import Line
from safelight.telemetry.redact import redact

ENDS_WITHIN_DAYS = 30


class Patience(NamedTuple):
    """How long each look may take. The socket is tried after the database, everything else at the same time."""

    database_s: float = 3.0
    storage_s: float = 3.0
    provider_s: float = 4.5
    socket_s: float = 1.5
    """At least: what the database did not need it may have too. A busy server answers late, and is not broken."""

    @property
    def whole_s(self) -> float:
        return max(self.database_s + self.socket_s, self.storage_s, self.provider_s)


USUAL: Final = Patience()


async def gather(sources: Sources, patience: Patience = USUAL) -> Facts:
    """Never raises for what is down: that is a fact. Takes as long as the slowest look, at most five seconds."""
    (database, found, socket), storage, probes = await asyncio.gather(
        _database_then_socket(sources, patience),
        _storage(sources, patience.storage_s),
        _probes(sources, patience.provider_s),
    )
    return Facts(
        machine=sources.machine(),
        configuration=configuration(sources),
        database=database,
        rows=found.rows if found else None,
        storage=storage,
        providers=_providers(sources, found, probes),
        models_ending=_models_ending(sources, found.models_in_use if found else frozenset()),
        routes={model.id: _open_routes(model) for model in sources.catalog.models},
        socket=socket,
    )


async def _database_then_socket(
    sources: Sources, patience: Patience
) -> tuple[DatabaseFacts, Look | None, SocketFacts | None]:
    """The rows tell where a server listens."""
    began_s = local_s()
    database, found = await _database(sources, patience.database_s)
    where = socket_of(sources.settings, found.rows if found else None, sources.machine().host) if sources.asks else None
    if where is None:
        return database, found, None
    within_s = max(patience.socket_s, patience.database_s + patience.socket_s - (local_s() - began_s))
    tried = await looked_at("The socket", try_socket(where, within_s - CLOSES_WITHIN_S), within_s)
    return database, found, SocketFacts(*where._replace(trouble=tried.what)) if isinstance(tried, Trouble) else tried


async def _database(sources: Sources, within_s: float) -> tuple[DatabaseFacts, Look | None]:
    url = sources.settings.database_address
    found = await looked_at("The database", in_thread(lambda: examine(sources)), within_s)
    match found:
        case Examined(facts, look):
            return _as_its_owner_sees_it(facts, sources.hindrance()), look
        case Trouble():
            return DatabaseFacts(where=redact(url), trouble=found), None


def _as_its_owner_sees_it(facts: DatabaseFacts, hindrance: BaseException | None) -> DatabaseFacts:
    """A database that can be read, and that this process cannot write to."""
    if hindrance is None:
        return facts
    remedy = hindrance.remedy if isinstance(hindrance, SafelightError) else Remedy("Look into the log.")
    return replace(facts, trouble=Trouble(str(hindrance), remedy))


async def _storage(sources: Sources, within_s: float) -> StorageFacts:
    where = redact(sources.settings.storage_address)
    found = await looked_at("The storage", look_at_storage(sources.settings, writes=sources.asks), within_s)
    return StorageFacts(where=where, trouble=found) if isinstance(found, Trouble) else found


async def _probes(sources: Sources, within_s: float) -> dict[str, ProbeResult]:
    """What providers with a key say of themselves: others are this machine's own."""
    if not sources.asks:
        return {}
    asked = {name: provider for name, provider in sources.providers.items() if provider.fingerprint}
    return dict(zip(asked, await asyncio.gather(*(_probe(each, within_s) for each in asked.values())), strict=True))


async def _probe(provider: Provider, within_s: float) -> ProbeResult:
    found = await looked_at(provider.name, provider.probe(), within_s)
    return ProbeResult(reachable=False, message=found.what) if isinstance(found, Trouble) else found


def _providers(sources: Sources, found: Look | None, probes: dict[str, ProbeResult]) -> tuple[ProviderFacts, ...]:
    lines: dict[str, Line] = {line.standing.toll.provider: line for line in found.board.lines} if found else {}
    names = dict.fromkeys((*sources.providers, *lines, *sources.missing))
    return tuple(
        ProviderFacts(
            name,
            None if name in sources.providers or name in lines else sources.missing.get(name),
            lines[name].standing if name in lines else None,
            lines[name].waiting if name in lines else 0,
            probes.get(name),
        )
        for name in names
    )


def _models_ending(sources: Sources, in_use: frozenset[str]) -> tuple[ModelEnd, ...]:
    return tuple(
        end for model in sources.catalog.models for end in _ends(model, sources, in_use) if end.days <= ENDS_WITHIN_DAYS
    )


def _open_routes(model: Model) -> tuple[str, ...]:
    today = datetime.now(UTC).date()
    return tuple(route.provider for route in model.routes if not route.is_over(today))


def _ends(model: Model, sources: Sources, in_use: frozenset[str]) -> list[ModelEnd]:
    """Its routes that have an end and whose provider is set up."""
    today = datetime.now(UTC).date()
    return [
        ModelEnd(
            model.id,
            route.provider,
            route.shutdown_date.isoformat(),
            (route.shutdown_date - today).days,
            route.successor,
            model.id in in_use,
        )
        for route in model.routes
        if route.shutdown_date is not None and route.provider in sources.providers
    ]
