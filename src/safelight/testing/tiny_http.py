"""As much of an HTTP server as a stand-in needs that must be able to cut a connection anywhere.

Connections are kept. A handler returns an answer, or `Cut` or `Silence`: what no well-behaved server offers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """`query` has the first value of each name, `headers` lower-case names; `body` is empty if it is no JSON object."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is JSON, or bytes that are sent as they are; `headers` override those that are sent anyway."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    """Send half of it, then cut the connection."""


class Cut:
    """Close the connection without a word."""


class Silence:
    """Say nothing, for as long as the caller keeps the connection."""


Outcome = Reply | Cut | Silence
Handler = Callable[[Request], Awaitable[Outcome]]


async def listen(handler: Handler, port: int) -> asyncio.Server:
    """Serve on 127.0.0.1; port 0 takes a free one."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(
            OSError, asyncio.IncompleteReadError, asyncio.CancelledError
        ):  # the end of the server is no error
            while await _converse(handler, reader, writer):
                pass
        writer.close()

    return await asyncio.start_server(connected, "127.0.0.1", port, backlog=2048)


async def _converse(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """One request and its answer; whether the connection can be used for another."""
    request = await _read(reader)
    match await handler(request):
        case Reply() as reply:
            data = _as_bytes(reply)
            writer.write(data[: len(data) // 2] if reply.cut else data)
            await writer.drain()
            return not reply.cut and request.headers.get("connection", "").lower() != "close"
        case Silence():
            await reader.read()  # until the caller gives up
    return False


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return Request(method, parts.path, query, _json_object(content), headers, content)


def _json_object(content: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _as_bytes(reply: Reply) -> bytes:
    body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{name}: {value}" for name, value in {**headers, **reply.headers}.items()]
    start = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"
    return "\r\n".join([start, *lines, "", ""]).encode("latin-1") + body
