"""Who may call a route, read off its dependencies: for the documentation, and for the test that calls them all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, WebSocketRoute

from safelight.api.context import WITH_SCOPE, visitor
from safelight.api.credentials import COOKIE, TICKET
from safelight.api.paths import is_event_stream

ANYONE: Final = "anyone"
OPEN: Final = "open"
"""Beside the scopes: any credential that is valid, and none at all."""

SCHEMES: Final[dict[str, Any]] = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key of `safelight keys create`."},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "What POST /api/session gives."},
    "ticket": {"type": "apiKey", "in": "query", "name": TICKET, "description": "What POST /api/tickets gives, once."},
}
"""As OpenAPI writes them. In local mode nobody needs any."""


class Ruled(NamedTuple):
    """One way in. `method` is `WS` for a socket, and `*` for files, which are mounted."""

    method: str
    path: str
    rule: str


def rules(app: FastAPI) -> list[Ruled]:
    """Every way into the application."""
    return list(_rules(app))


def _rules(app: FastAPI) -> Iterator[Ruled]:
    for context in iter_route_contexts(app.routes):
        route: Any = context.original_route
        rule = _rule_of(getattr(route, "dependant", None))
        path = str(context.path or route.path).replace(":path}", "}")  # as OpenAPI writes it
        yield from (Ruled(method, path, rule) for method in _methods(route))


def _methods(route: Any) -> list[str]:
    """Without HEAD, which is answered wherever GET is, by the same rule."""
    match route:
        case WebSocketRoute():
            return ["WS"]
        case Mount():
            return ["*"]
    return sorted(set(route.methods) - {"HEAD"})


def _rule_of(dependant: Dependant | None) -> str:
    calls = set(_calls(dependant)) if dependant else set()
    for scope, asks in WITH_SCOPE.items():
        if asks in calls:
            return scope
    return ANYONE if visitor in calls else OPEN


def security_of(rule: str, path: str) -> list[dict[str, list[str]]]:
    """The same as OpenAPI writes it: one of these, with that scope. Tickets only open what is listened to."""
    if rule == OPEN:
        return []
    scopes = [] if rule == ANYONE else [rule]
    return [{name: scopes} for name in SCHEMES if name != "ticket" or is_event_stream(path)]


def _calls(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)
