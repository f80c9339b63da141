"""Which credential a request or a socket carries, and whether one that browsers add by themselves may be believed."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from fastapi.requests import HTTPConnection

from safelight.api.paths import is_event_stream
from safelight.app import Safelight
from safelight.domain.errors import Forbidden, Remedy, Unauthorized
from safelight.services.keyring import LOCAL, Pass, Refused
from safelight.services.tickets import TICKET_LIVES_S

COOKIE: Final = "safelight_session"
TICKET: Final = "ticket"
"""The query parameter of a ticket, where neither header nor cookie can be sent."""
_NOT_A_STREAM: Final = "A ticket opens one event stream or one socket, and nothing else."
_SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
_HOW: Final = Remedy(
    "Send `Authorization: Bearer KEY` with a key of this installation; its operator makes them.",
    "safelight keys create",
)


async def pass_of(connection: HTTPConnection, token: str | None = None) -> Pass:
    """What the credential grants; `token` is a key or a ticket that a door found elsewhere, and goes first.

    Raises Unauthorized where there is none or it opens nothing, Forbidden for a page that is not ours.
    """
    safelight: Safelight = connection.app.state.safelight
    bearer = bearer_of(connection)
    if connection.app.state.trusted or await safelight.keyring.is_local(token or bearer):
        return LOCAL
    if token:
        return await _shown(safelight, token)
    if bearer:
        return _opened("key", await safelight.keyring.by_key(bearer))
    ticket = connection.query_params.get(TICKET)
    if ticket and _listens(connection):
        return await _ticket(safelight, ticket)
    if session := connection.cookies.get(COOKIE):
        refuse_foreign_page(connection)
        return _opened("session", await safelight.keyring.by_session(session))
    missing = "This installation asks who calls, and the request carries no key."
    raise Unauthorized(_NOT_A_STREAM if ticket else missing, remedy=_HOW)


def bearer_of(connection: HTTPConnection) -> str | None:
    """The key of the Authorization header. Other schemes are between a browser and a proxy in front of us."""
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def refuse_foreign_page(connection: HTTPConnection) -> None:
    """Browsers send cookies for whichever page asks. Raises Forbidden where that page is not ours, and could do harm.

    SameSite=Strict keeps other sites out; this keeps out other ports and names of the same one.
    """
    if connection.scope["type"] == "http" and connection.scope["method"] in _SAFE_METHODS:
        return
    origin = connection.headers.get("origin")
    if origin is None or is_own_origin(connection, origin):
        return
    raise Forbidden(
        f"A page of {origin[:100]!r} may not use the session of this installation's studio.",
        remedy=Remedy("Send a key in the Authorization header, or ask POST /api/tickets for a ticket with one."),
    )


def is_own_origin(connection: HTTPConnection, origin: str) -> bool:
    """Whether a page comes from where we are seen: the name that was asked for, or the public one."""
    host = connection.headers.get("host", "").lower()
    public = urlsplit(connection.app.state.safelight.settings.public_url or "")
    return origin.lower() in (f"http://{host}", f"https://{host}", f"{public.scheme}://{public.netloc}".lower())


async def _shown(safelight: Safelight, token: str) -> Pass:
    """A key or a ticket: what a ticket looks like, no key does."""
    if token.startswith("tk-"):
        return await _ticket(safelight, token)
    return _opened("key", await safelight.keyring.by_key(token))


def _listens(connection: HTTPConnection) -> bool:
    """Whether it asks for news. A ticket stands in an address, where others may see it: it opens nothing else."""
    if connection.scope["type"] == "websocket":
        return True
    return connection.scope["method"] == "GET" and is_event_stream(connection.scope["path"])


async def _ticket(safelight: Safelight, ticket: str) -> Pass:
    found = await safelight.keyring.by_ticket(ticket)
    if isinstance(found, Refused):
        raise Unauthorized(
            "The ticket is not known here, or no longer: each opens one connection, "
            f"within {TICKET_LIVES_S:.0f} seconds.",
            remedy=Remedy("Ask for another with your key, and use it at once.", "POST /api/tickets"),
        )
    return found


def _opened(what: str, found: Pass | Refused) -> Pass:
    if isinstance(found, Refused):
        remedy = _HOW if what == "key" else Remedy("Sign in again.", "POST /api/session")
        raise Unauthorized(f"The {what} {found.why}.", remedy=remedy)
    return found
