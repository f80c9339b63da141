"""Refuse what no route could handle: addresses with a NUL, bodies that are too large, JSON that is not strict."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from safelight.api.errors import refusal
from safelight.api.paths import own_path
from safelight.domain.errors import InvalidRequest, Remedy, SafelightError, TooLarge

LARGEST_BODY_BYTES: Final = 1024 * 1024
DEEPEST: Final = 32
"""Levels of lists and objects in a body. Far more than any request needs, far less than any recursion bears."""
MOST_VALUES: Final = 30_000
"""Values in a body, at all levels: room for a batch of 1,000 jobs. A million would hold up everybody."""
MOST_MEMBERS: Final = 2_500
"""Members of one object. Each may be complained about; no call takes more than a few."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class StrictRequests:
    """Reads bodies whole, up to a limit, and lets only through what routes and databases can handle."""

    def __init__(
        self, app: ASGIApp, largest_bytes: int = LARGEST_BODY_BYTES, streamed: frozenset[str] = frozenset()
    ) -> None:
        """`streamed` are paths whose routes read their bodies themselves, piece by piece."""
        self._app, self._largest, self._streamed = app, largest_bytes, streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        try:
            _check_address(scope)
            if scope["method"] not in ("GET", "HEAD", "OPTIONS") and own_path(scope) not in self._streamed:
                body = await self._read(scope, receive)
                _check_json(Headers(scope=scope).get("content-type", ""), body)
                receive = _replay(body, receive)
        except SafelightError as error:
            answer = refusal(scope, error)
            answer.headers["Connection"] = "close"  # the rest of a body that is too large is never read
            return await answer(scope, receive, send)
        return await self._app(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        if _announced_bytes(scope) > self._largest:
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


def _check_address(scope: Scope) -> None:
    """Postgres keeps no NUL, and no file has one in its name."""
    if "\x00" in scope["path"] or b"%00" in scope["query_string"] or b"\x00" in scope["query_string"]:
        raise InvalidRequest("The address holds a NUL character.", remedy=Remedy("Take it out of the address."))


def _announced_bytes(scope: Scope) -> int:
    """What Content-Length says; 0 if it is not there or makes no sense. The body itself is counted as well."""
    digits = Headers(scope=scope).get("content-length", "")
    return int(digits[:18]) if digits.isascii() and digits.isdigit() else 0


def _too_large(largest_bytes: int) -> TooLarge:
    return TooLarge(
        f"The body is larger than {largest_bytes // 1024} KiB.",
        remedy=Remedy("Send less; upload pictures with POST /api/uploads and name them as inputs."),
    )


def _check_json(content_type: str, body: bytes) -> None:
    """Raises InvalidRequest for what Python's JSON reader would let through or crash on."""
    if not body or not content_type.lower().partition(";")[0].strip().endswith(("/json", "+json")):
        return
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The body is not valid UTF-8: byte {error.start} cannot be read.") from error
    check_value(read_json(text))


def read_json(text: str) -> Any:
    """The value of a body, or of a frame of a socket, which `check_value` has to see yet. Raises InvalidRequest."""
    try:
        value: Any = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_each_key_once)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise InvalidRequest(f"The body is not valid JSON: {str(error)[:200]}.") from error
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Which of two values was meant, nobody can tell."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key[:100]!r} stands there twice")
        found[key] = value
    return found


def check_value(value: Any) -> None:
    """Raises InvalidRequest for half characters, NULs, and values that are too many or nested too deep."""
    waiting, seen = [(value, DEEPEST)], 0
    while waiting:
        inner, levels = waiting.pop()
        seen += 1
        if seen + len(waiting) > MOST_VALUES:
            raise InvalidRequest(f"The body holds more than {MOST_VALUES} values.")
        if isinstance(inner, str):
            _check_text(inner)
        elif isinstance(inner, dict | list) and levels == 0:
            raise _too_deep()
        elif isinstance(inner, dict):
            if len(inner) > MOST_MEMBERS:
                raise InvalidRequest(f"An object of the body has more than {MOST_MEMBERS} members.")
            waiting += ((part, levels - 1) for item in inner.items() for part in item)
        elif isinstance(inner, list):
            waiting += ((part, levels - 1) for part in inner)


def _check_text(text: str) -> None:
    if "\x00" in text or _LONE_SURROGATE.search(text):
        raise InvalidRequest("The body holds half a character or a NUL: no database could keep it.")


def _too_deep() -> InvalidRequest:
    return InvalidRequest(f"The body is nested more than {DEEPEST} levels deep.")


def _replay(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """The body once, then whatever the connection says (a disconnect)."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
