"""Knock at a socket of an application in this process: whether it opens, or the answer that refuses it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from starlette.types import Message

from tests.support.door import PATIENCE_S, Door

OPENED = 101


class Knocked(NamedTuple):
    """101 if it opened, else the status and the body of the refusal."""

    status: int
    body: dict[str, Any]


def knock(door: Door, path: str, headers: Mapping[str, str], subprotocols: Sequence[str] = ()) -> Knocked:
    """The answer to a handshake; an opened socket is left at once."""
    return door.run(
        _knock(
            door, path, {"host": "127.0.0.1", **{name.lower(): value for name, value in headers.items()}}, subprotocols
        )
    )


async def _knock(door: Door, path: str, headers: Mapping[str, str], subprotocols: Sequence[str]) -> Knocked:
    name, _, query = path.partition("?")
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": unquote(name),
        "raw_path": name.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(key.lower().encode(), value.encode()) for key, value in headers.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 80),
        "subprotocols": list(subprotocols),
        "state": {},
        "extensions": {"websocket.http.response": {}},
    }
    said: list[Message] = []
    answered = asyncio.Event()
    heard = iter([{"type": "websocket.connect"}])

    async def receive() -> Message:
        if message := next(heard, None):
            return message
        await answered.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Message) -> None:
        said.append(message)
        if not message.get("more_body"):
            answered.set()

    async with asyncio.timeout(PATIENCE_S):
        await door.app(scope, receive, send)
    first = said[0]
    if first["type"] == "websocket.accept":
        return Knocked(OPENED, {})
    body = b"".join(message.get("body", b"") for message in said[1:])
    return Knocked(first.get("status", 403), json.loads(body) if body else {})
