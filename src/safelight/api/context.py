"""What routes ask for: the open installation, who is calling, and under which address we are seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import Depends
from fastapi.requests import HTTPConnection

from safelight.api.errors import request_id_of
from safelight.app import Safelight
from safelight.domain.errors import Forbidden, Remedy
from safelight.services.credits import LOCAL_USER

SCOPES = frozenset({"jobs", "read", "admin"})
"""What a visitor may do: own jobs and credits; health and metrics; grants and what belongs to others."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who calls, and how links are written for them."""

    user_id: str
    base: str
    request_id: str | None
    scopes: frozenset[str] = SCOPES


async def installation(connection: HTTPConnection) -> Safelight:
    """Async although it awaits nothing: FastAPI would send a plain function through its thread pool."""
    found: Safelight = connection.app.state.safelight
    return found


async def visitor(connection: HTTPConnection) -> Visitor:
    """Who made a request, or opened a socket, by the credential that it carries where HTTP has a place for it."""
    return await visitor_of(connection)


async def visitor_of(connection: HTTPConnection, token: str | None = None) -> Visitor:
    """Who is at the other end; `token` is a key or a ticket that came in another place than the usual ones.

    Local mode, the only one so far: everybody who reaches the loopback address is the user `local`, with all scopes.
    From here on every log line says who it is for, and about which job.
    """
    about = {"job_id": connection.path_params["job_id"][:64]} if "job_id" in connection.path_params else {}
    structlog.contextvars.bind_contextvars(user_id=LOCAL_USER, **about)
    return Visitor(LOCAL_USER, base_of(connection), request_id_of(connection))


def base_of(connection: HTTPConnection) -> str:
    """The address under which we are seen, as http or https, also from a socket."""
    base = str(connection.base_url).rstrip("/")
    return f"http{base.removeprefix('ws')}" if base.startswith("ws") else base


async def operator(found: Annotated[Visitor, Depends(visitor)]) -> Visitor:
    """A visitor who may do what concerns everybody. Raises Forbidden."""
    if "admin" not in found.scopes:
        raise Forbidden(
            f"{found.user_id!r} may not do this: it needs the scope `admin`.",
            remedy=Remedy("Ask the operator of this installation, or use a key with that scope."),
        )
    return found


Installation = Annotated[Safelight, Depends(installation)]
Caller = Annotated[Visitor, Depends(visitor)]
Operator = Annotated[Visitor, Depends(operator)]
