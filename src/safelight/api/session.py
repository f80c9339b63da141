"""Routes of browsers: a key is shown once and becomes a cookie, or a ticket where not even a cookie can be sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, TypedDict
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from safelight.api.context import Anyone, Installation
from safelight.api.credentials import COOKIE, bearer_of, pass_of, refuse_foreign_page
from safelight.api.input_bodies import Body
from safelight.api.pace import Pace
from safelight.app import Safelight
from safelight.domain.access import SCOPES
from safelight.domain.clock import as_rfc3339
from safelight.domain.errors import Remedy, Unauthorized
from safelight.services.keyring import LOCAL, LONGEST_TOKEN, Pass, Refused

router = APIRouter(tags=["session"])

PATH = "/api/session"
MOST_FAILURES = 10
"""A minute, of each address, in one process. Keys that are drawn nobody guesses; those made up may be weaker."""


class SignIn(Body):
    """What the sign-in page sends."""

    key: str = Field(min_length=1, max_length=LONGEST_TOKEN, description="An API key.")


@router.post(PATH, summary="Sign in")
async def sign_in(body: SignIn, request: Request, safelight: Installation) -> Response:
    """The key becomes a session: an HttpOnly cookie, good for requests, streams and sockets until it or the key ends.

    In local mode there is nothing to sign in to: everybody is the user `local`.
    """
    if await _is_local(request, safelight):
        return JSONResponse(_who("local", LOCAL))
    refuse_foreign_page(request)
    address = request.client.host if request.client else ""
    failures: Pace = request.app.state.failed_sign_ins
    failures.refuse_if_over(address, "sign-ins that failed")
    found = await safelight.keyring.by_key(body.key.strip())
    if isinstance(found, Refused):
        failures.count(address)
        raise Unauthorized(
            f"The key {found.why}.",
            remedy=Remedy("Copy it again, or ask the operator for another.", "safelight keys create"),
        )
    if former := request.cookies.get(COOKIE):
        await safelight.keyring.end_session(former)
    token, expires_at = await safelight.keyring.new_session(found)
    answer = JSONResponse({**_who("keyed", found), "expires_at": as_rfc3339(expires_at)}, headers=_NOT_KEPT)
    answer.set_cookie(COOKIE, token, expires=_as_date(expires_at), **_place_of_cookie(request))
    return answer


@router.get(PATH, summary="Who am I?")
async def show_session(request: Request, safelight: Installation) -> Response:
    """The user and scopes of whoever asks; `user_id` is null for who has to sign in first."""
    if await _is_local(request, safelight):
        return JSONResponse(_who("local", LOCAL), headers=_NOT_KEPT)
    if bearer_of(request) is not None:
        return JSONResponse(_who("keyed", await pass_of(request)), headers=_NOT_KEPT)
    session = request.cookies.get(COOKIE)
    found = await safelight.keyring.by_session(session) if session else None
    return JSONResponse(_who("keyed", found if isinstance(found, Pass) else None), headers=_NOT_KEPT)


@router.delete(PATH, status_code=204, summary="Sign out")
async def sign_out(request: Request, safelight: Installation) -> Response:
    """The session opens nothing any more, wherever its cookie may be."""
    refuse_foreign_page(request)
    if session := request.cookies.get(COOKIE):
        await safelight.keyring.end_session(session)
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, **_place_of_cookie(request))
    return answer


@router.post("/api/tickets", status_code=201, summary="Ask for a ticket")
async def new_ticket(safelight: Installation, anyone: Anyone) -> Response:
    """For one `?ticket=`, within 60 seconds: opens one stream or socket for a page that cannot send a header."""
    ticket, expires_at = await safelight.keyring.new_ticket(anyone.key or LOCAL)
    return JSONResponse({"ticket": ticket, "expires_at": as_rfc3339(expires_at)}, 201, _NOT_KEPT)


_NOT_KEPT = {"Cache-Control": "no-store"}


async def _is_local(request: Request, safelight: Safelight) -> bool:
    return bool(request.app.state.trusted) or await safelight.keyring.is_local()


def _who(mode: str, found: Pass | None) -> dict[str, Any]:
    return {
        "mode": mode,
        "user_id": found.user_id if found else None,
        "scopes": [scope for scope in SCOPES if found and scope in found.scopes],
    }


class _Place(TypedDict):
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["strict"]


def _place_of_cookie(request: Request) -> _Place:
    """Where the browser is to show it: where we are seen, which a proxy may have told, or the public address.

    Who comes past the proxy asks for another name, and is seen at its root. Where a proxy ended TLS and told us
    nothing, the browser says from where the page is that signs in.
    """
    public = urlsplit(request.app.state.safelight.settings.public_url or "")
    by_public_name = bool(public.netloc) and request.headers.get("host", "").lower() == public.netloc.lower()
    path = request.scope.get("root_path") or (public.path.rstrip("/") if by_public_name else "")
    schemes = (request.url.scheme, public.scheme if by_public_name else "")
    secure = "https" in schemes or request.headers.get("origin", "").startswith("https://")
    return _Place(path=path or "/", secure=secure, httponly=True, samesite="strict")


def _as_date(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)
