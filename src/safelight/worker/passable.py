"""Which models a worker can call for now: those with a route here whose gate is open. Pure."""

from __future__ import annotations

from collections import defaultdict
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

    Thorough, also those that wait for a gate which is still shut, and have got another way since.
    """
    rooms = {standing.toll.provider: standing.room for standing in seen.standings}
    by_provider: dict[str, list[str]] = defaultdict(list)
    for model in models:
        if route := open_route(model, here, today, view):
            by_provider[route.provider].append(model.id)
    found = []
    for group in seen.parked:
        waits_for = provider_of(group.waiting_for)
        if thorough or (waits_for in here and waits_for not in view.shut):
            found += [
                Opening(group, provider, tuple(by_provider[provider]), rooms.get(provider, UNLIMITED))
                for provider in {*by_provider, *(name for name in here if name not in view.shut)}
                if rooms.get(provider, UNLIMITED) > 0
            ]
    return found


UNLIMITED = 200
"""At once, of a provider without a gate."""
