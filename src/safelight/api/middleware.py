"""What happens to every request before any route: an id, a log line, limits on bodies, and who may knock."""

from __future__ import annotations

import ipaddress
import json
import re
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from safelight.api.errors import problem
from safelight.domain.errors import Forbidden, InvalidRequest, Remedy, SafelightError, TooLarge
from safelight.domain.ids import new_id
from safelight.telemetry.logs import bound

log = structlog.get_logger(__name__)

LARGEST_BODY_BYTES: Final = 1024 * 1024
QUIET_PATHS: Final = ("/static/", "/api/live", "/api/ready")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

CSP: Final = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


class RequestContext:
    """Gives each request an id, binds it to every log line, and adds the headers that every answer carries."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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
                headers.setdefault("Content-Security-Policy", CSP)
                headers.setdefault("Referrer-Policy", "same-origin")
            await send(message)

        with bound(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_headers)
            finally:
                _log(scope, status, time.perf_counter() - started)


class LocalOnly:
    """Local mode: the Host must be a loopback name and the Origin, if any, our own. No CSRF, no DNS rebinding."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = _foreign(headers.get("host", ""), headers.get("origin"))
        if refusal is None:
            await self._app(scope, receive, send)
            return
        answer = problem(refusal, request_id=scope.get("safelight.request_id"))
        await answer(scope, receive, send)


class BodyLimit:
    """Reads JSON bodies whole, up to a limit, and refuses what is not strict JSON in UTF-8."""

    def __init__(self, app: ASGIApp, largest_bytes: int = LARGEST_BODY_BYTES) -> None:
        self._app, self._largest = app, largest_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
            _check_json(Headers(scope=scope).get("content-type", ""), body)
        except SafelightError as error:
            answer = problem(error, request_id=scope.get("safelight.request_id"))
            answer.headers["Connection"] = "close"  # the rest of a body that is too large is never read
            await answer(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdigit() and int(length) > self._largest:
            raise _too_large(self._largest)
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b""
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._largest:
                raise _too_large(self._largest)
            if not message.get("more_body", False):
                return b"".join(parts)


def loopback_host(host: str) -> bool:
    """Whether a name from a Host header or a bind address can only mean this machine."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _foreign(host: str, origin: str | None) -> Forbidden | None:
    if not loopback_host(host):
        return Forbidden(
            f"This installation is in local mode and does not answer to the name {host[:100]!r}.",
            remedy=Remedy("Open it as http://127.0.0.1 or http://localhost with its port."),
        )
    if origin is not None and origin != "null" and urlsplit(origin).netloc == host:
        return None
    if origin is None:
        return None
    return Forbidden(
        f"This installation is in local mode and takes no requests from pages of {origin[:100]!r}.",
        remedy=Remedy("Call it from its own studio, or from a program that sends no Origin header."),
    )


def _too_large(largest_bytes: int) -> TooLarge:
    return TooLarge(
        f"The body is larger than {largest_bytes // 1024} KiB.",
        remedy=Remedy("Send less: a prompt and its parameters need a few kilobytes."),
    )


def _check_json(content_type: str, body: bytes) -> None:
    """Raises InvalidRequest for what Python's JSON reader would let through or crash on."""
    if not body or not content_type.lower().partition(";")[0].strip().endswith(("/json", "+json")):
        return
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The body is not valid UTF-8: byte {error.start} cannot be read.") from error
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidRequest(f"The body is not valid JSON: {reason}.") from error
    if "\\u" in text and not _only_whole_characters(value):
        raise InvalidRequest("The body holds half a character: a lone surrogate or a NUL.")
    if "\x00" in text:
        raise InvalidRequest("The body holds a NUL character.")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _only_whole_characters(value: Any) -> bool:
    match value:
        case str():
            return _LONE_SURROGATE.search(value) is None and "\x00" not in value
        case dict():
            return all(_only_whole_characters(part) for item in value.items() for part in item)
        case list():
            return all(map(_only_whole_characters, value))
        case _:
            return True


def _replay(body: bytes, receive: Receive) -> Callable[[], Any]:
    """The body once, then whatever the connection says (a disconnect)."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _log(scope: Scope, status: int, took_s: float) -> None:
    path: str = scope["path"]
    say = log.debug if status < 400 and path.startswith(QUIET_PATHS) else log.info
    say("request", method=scope["method"], path=path[:200], status=status, took_ms=round(took_s * 1000, 1))
