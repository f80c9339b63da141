"""What happens to every request before any route: an id, a log line, headers, an answer to bugs, and who may knock."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from safelight.api.errors import bug, refusal
from safelight.domain.errors import Forbidden, Remedy
from safelight.domain.ids import new_id
from safelight.telemetry.logs import bound

log = structlog.get_logger(__name__)

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?", re.IGNORECASE)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")

CSP: Final = (
    "default-src 'self'; img-src 'self' blob: data:{files}; media-src 'self' blob:{files}; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""`files` is where an object store hands out pictures and films by itself: pages show what they are redirected to."""


class RequestContext:
    """Gives each request an id, binds it to every log line, and adds the headers that every answer carries."""

    def __init__(self, app: ASGIApp, files_origin: Callable[[], str | None] = lambda: None) -> None:
        self._app, self._files_origin = app, files_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else new_id()
        scope["safelight.request_id"] = request_id
        started, status = time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Content-Security-Policy", self._policy())
                headers.setdefault("Referrer-Policy", "same-origin")
            await send(message)

        with bound(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_headers)
            except Exception as error:  # the edge of a request: one that crashes gets its answer, with all headers
                answer = bug(scope, error)
                if status:
                    raise  # it had begun; the server cuts the connection, so that nobody takes it for whole
                await answer(scope, receive, send_with_headers)
            finally:
                _log(scope, status, time.perf_counter() - started)

    def _policy(self) -> str:
        origin = self._files_origin()
        return CSP.format(files=f" {origin}" if origin else "")


class LocalOnly:
    """In local mode the Host must be a loopback name and the Origin, if any, our own. No CSRF, no DNS rebinding.

    Once keys tell who calls, names and pages no longer do. With a public URL its name and its pages are our own too: a
    proxy stands in front, and it checks who calls.
    """

    def __init__(
        self, app: ASGIApp, public_url: str | None = None, is_local: Callable[[], Awaitable[bool]] | None = None
    ) -> None:
        self._app, self._is_local = app, is_local
        public = urlsplit(public_url or "")
        self._public_host = public.netloc.lower() or None
        self._public_origin = f"{public.scheme}://{public.netloc}".lower() if public_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or (self._is_local and not await self._is_local()):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refusal(headers.get("host", ""), headers.get("origin"))
        if refused is None:
            await self._app(scope, receive, send)
            return
        answer = refusal(scope, refused)
        await answer(scope, receive, send)

    def _refusal(self, host: str, origin: str | None) -> Forbidden | None:
        if not loopback_host(host) and host.lower() != self._public_host:
            return Forbidden(
                f"This installation is in local mode and does not answer to the name {host[:100]!r}.",
                remedy=Remedy(
                    "Open it as http://127.0.0.1 or http://localhost with its port; behind a proxy that checks who "
                    "calls, set SAFELIGHT_PUBLIC_URL to the proxy's address."
                ),
            )
        if origin is None or origin in (f"http://{host}", f"https://{host}") or origin.lower() == self._public_origin:
            return None
        return Forbidden(
            f"This installation is in local mode and takes no requests from pages of {origin[:100]!r}.",
            remedy=Remedy("Call it from its own studio, or from a program that sends no Origin header."),
        )


def loopback_host(host: str) -> bool:
    """Whether a name from a Host header or a bind address can only mean this machine."""
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found["name"].lower().strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _log(scope: Scope, status: int, took_s: float) -> None:
    """What changed something or went wrong is told; looking is told at `debug`, or nothing else could be seen."""
    path: str = scope["path"]
    say = log.debug if status < 400 and scope["method"] in ("GET", "HEAD") else log.info
    say("request", method=scope["method"], path=path[:200], status=status, took_ms=round(took_s * 1000, 1))
