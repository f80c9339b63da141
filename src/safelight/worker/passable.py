"""Which models a worker can call for now: those with a route here whose gate is open. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from safelight.catalog.model import Model, Route
from safelight.services.gate_look import Seen
from safelight.services.gate_parking import Opening, ShutGate, provider_of
from safelight.worker.gate_view import GateView


def open_route(model: Model, here: Collection[str], today: date, view: GateView) -> Route | None:
    """The best route that can be taken at this moment."""
    routes = model.usable_routes(configured=here, today=today)
    return next((r for r in routes if view.is_open(r.provider, costs=r.costs)), None)


def shut_gates(models: Sequence[Model], here: Collection[str], today: date, view: GateView) -> tuple[ShutGate, ...]:
    """The gates that are shut, each with the models that wait for it: the first of theirs to open.

    A model that another worker may have a way for is left alone.
    """
    waiting: dict[str, list[str]] = {provider: [] for provider in view.shut}
    for model in models:
        routes = model.usable_routes(configured=here, today=today)
        others = model.usable_routes(configured=view.elsewhere - set(here), today=today)
        if routes and not others and open_route(model, here, today, view) is None:
            first = min(routes, key=lambda route: view.shut[route.provider].until or 0.0)
            waiting[first.provider].append(model.id)
    return tuple(ShutGate(provider, tuple(ids)) for provider, ids in waiting.items())


def openings(
    seen: Seen, models: Sequence[Model], here: Collection[str], today: date, view: GateView, *, thorough: bool
) -> list[Opening]:
    """Which parked jobs can be called for again, and how many of them.

    Thorough, also those that wait for a gate which is still shut, or is not ours, and have got another way since. Only
    models that could wait for the gate are looked for: very many jobs may.
    """
    rooms = {standing.toll.provider: standing.room for standing in seen.standings}
    ways = [(model, route.provider) for model in models if (route := open_route(model, here, today, view))]
    found = []
    for group in seen.parked:
        gate = provider_of(group.waiting_for) or ""
        is_open = gate in here and gate not in view.shut
        if not is_open and not thorough:
            continue
        waiting: dict[str, list[str]] = {gate: []} if is_open else {}  # also those that are pinned to it
        for model, provider in ways:
            if gate not in here or model.route_at(gate):
                waiting.setdefault(provider, []).append(model.id)
        found += [
            Opening(group, provider, tuple(ids), room)
            for provider, ids in waiting.items()
            if (room := rooms.get(provider, UNLIMITED)) > 0
        ]
    return found


UNLIMITED = 200
"""At once, of a provider without a gate."""
