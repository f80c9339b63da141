"""What was found when providers were asked for the models that the catalog has at them. Pure."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from safelight.catalog.catalog import Catalog
from safelight.catalog.model import Model, Route
from safelight.providers.protocol import ModelState, ProbeResult


class Found(StrEnum):
    """In order of how much there is to do."""

    GONE = "gone"
    """The provider does not serve it, and the catalog thinks it does."""
    ENDS = "ends"
    """The provider tells a last day that the catalog does not have."""
    UNFIT = "unfit"
    """The provider cannot be reached, refuses the key, or wants money."""
    UNSURE = "unsure"
    """The provider works, but does not say whether it serves this model."""
    OK = "ok"
    NOT_SET_UP = "not_set_up"
    """Nobody has set the provider up here: nobody was asked."""


TO_DO = frozenset({Found.GONE, Found.ENDS, Found.UNFIT})


class Asked(NamedTuple):
    """One route that is open, to be asked for."""

    model: Model
    route: Route


def open_routes(catalog: Catalog, today: date) -> list[Asked]:
    """In the order of the catalog; what has ended by the catalog itself is not asked for."""
    return [Asked(model, route) for model in catalog.models for route in model.routes if not route.is_over(today)]


def finding(asked: Asked, probe: ProbeResult | None, state: ModelState | None, missing: str) -> dict[str, Any]:
    """As `GET /api/health/models` shows it. Without `probe` the provider is not set up here, for `missing`."""
    found, note = _judged(asked.route, probe, state, missing)
    return {
        "model": asked.model.id,
        "kind": asked.model.kind,
        "provider": asked.route.provider,
        "route_model": asked.route.model,
        "found": str(found),
        "fine": None if found is Found.NOT_SET_UP else found not in TO_DO,
        "note": note,
    }


def _judged(route: Route, probe: ProbeResult | None, state: ModelState | None, missing: str) -> tuple[Found, str]:
    if probe is None:
        return Found.NOT_SET_UP, missing
    if not probe.reachable or probe.key_valid is False or probe.has_money is False:
        return Found.UNFIT, probe.message or _unfit(probe)
    if state is None or state.served is None:
        return Found.UNSURE, state.message if state else "its provider cannot be asked for single models"
    if not state.served:
        return Found.GONE, state.message or "its provider does not know it"
    if state.shutdown_date is not None and state.shutdown_date != route.shutdown_date:
        known = route.shutdown_date or "none"
        return Found.ENDS, f"its provider ends it on {state.shutdown_date}; the catalog says {known}"
    return Found.OK, "its provider serves it"


def _unfit(probe: ProbeResult) -> str:
    if not probe.reachable:
        return "its provider cannot be reached"
    return "its provider refuses the key" if probe.key_valid is False else "its provider wants money"
