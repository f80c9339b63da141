"""What routes ask for: the open installation, who is calling, and under which address we are seen.

Each route says by its dependency who may call it: `Caller`, `Reader` or `Operator` need a scope, `Anyone` only a
credential. A route that asks for none of them is open to all; a test holds the list of those.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Final

import structlog
from fastapi import Depends
from fastapi.requests import HTTPConnection

from safelight.api.credentials import pass_of
from safelight.api.errors import request_id_of
from safelight.app import Safelight
from safelight.domain.access import SCOPES
from safelight.domain.errors import Forbidden, Remedy
from safelight.domain.ids import is_id
from safelight.services.keyring import LOCAL, Pass
from safelight.services.read_jobs import job_details


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who calls, and how links are written for them. `key` is what their credential grants, and until when."""

    user_id: str
    base: str
    request_id: str | None
    scopes: frozenset[str] = frozenset(SCOPES)
    key: Pass | None = None

    @property
    def is_local(self) -> bool:
        """Whether they came in local mode, or are the operator's own program."""
        return self.key == LOCAL


async def installation(connection: HTTPConnection) -> Safelight:
    """Async although it awaits nothing: FastAPI would send a plain function through its thread pool."""
    found: Safelight = connection.app.state.safelight
    return found


async def visitor_of(connection: HTTPConnection, token: str | None = None) -> Visitor:
    """Who is at the other end; `token` is a key or a ticket that came in another place than the usual ones.

    Raises Unauthorized or Forbidden. From here on every log line says who it is for, and about which job.
    """
    found = await pass_of(connection, token)
    about = {"job_id": connection.path_params["job_id"][:64]} if "job_id" in connection.path_params else {}
    structlog.contextvars.bind_contextvars(user_id=found.user_id, **about)
    return Visitor(found.user_id, base_of(connection), request_id_of(connection), found.scopes, found)


async def still_welcome(connection: HTTPConnection, visitor: Visitor) -> bool:
    """Whether a connection that was let in may stay: its key may have been revoked, or have expired. Cheap."""
    safelight: Safelight = connection.app.state.safelight
    return connection.app.state.trusted or visitor.key is None or await safelight.keyring.still_opens(visitor.key)


def base_of(connection: HTTPConnection) -> str:
    """The address under which we are seen, as http or https, also from a socket."""
    base = str(connection.base_url).rstrip("/")
    return f"http{base.removeprefix('ws')}" if base.startswith("ws") else base


async def visitor(connection: HTTPConnection) -> Visitor:
    """Who made a request, or opened a socket, by the credential that it carries where HTTP has a place for it."""
    return await visitor_of(connection)


def require(found: Visitor, scope: str) -> Visitor:
    """The same visitor. Raises Forbidden if the scope is not theirs."""
    if scope not in found.scopes:
        raise Forbidden(
            f"{found.user_id!r} may not do this with this key: it lacks the scope `{scope}`.",
            remedy=Remedy("Use a key that has it; the operator of this installation makes them."),
        )
    return found


def _with_scope(scope: str) -> Callable[[Visitor], Awaitable[Visitor]]:
    async def scoped(found: Annotated[Visitor, Depends(visitor)]) -> Visitor:
        return require(found, scope)

    return scoped


WITH_SCOPE: Final = {scope: _with_scope(scope) for scope in SCOPES}
"""The dependency that asks for each scope."""


async def onlooker(
    connection: HTTPConnection,
    safelight: Annotated[Safelight, Depends(installation)],
    found: Annotated[Visitor, Depends(WITH_SCOPE["jobs"])],
) -> Visitor:
    """Who looks at the job in the address. With the scope `admin` one sees other people's as their owner does.

    Not so in local mode, where nobody has shown who they are.
    """
    job_id = connection.path_params["job_id"]
    if "admin" not in found.scopes or not is_id(job_id) or await safelight.keyring.is_local():
        return found
    details = await safelight.database.read(job_details, job_id, None)
    return found if details is None else replace(found, user_id=details.job.user_id)


Installation = Annotated[Safelight, Depends(installation)]
Anyone = Annotated[Visitor, Depends(visitor)]
Caller = Annotated[Visitor, Depends(WITH_SCOPE["jobs"])]
Onlooker = Annotated[Visitor, Depends(onlooker)]
Reader = Annotated[Visitor, Depends(WITH_SCOPE["read"])]
Operator = Annotated[Visitor, Depends(WITH_SCOPE["admin"])]
