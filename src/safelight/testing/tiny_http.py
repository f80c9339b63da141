"""As much of an HTTP server as a stand-in needs that must be able to cut a connection anywhere.

Connections are kept. A handler returns an answer, or `Cut` or `Silence`: what no well-behaved server offers.
"""

from __future__ import annotations

import asyncio
import json
import ssl
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
    """`body` is JSON, or bytes that are sent as they are, or a tuple of bytes: pieces, sent one after the other.

    `headers` override those that are sent anyway.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    """Send half of it, then cut the connection."""
    pause_s: float = 0.0
    """Before each piece."""


class Cut:
    """Close the connection without a word."""


class Silence:
    """Say nothing, for as long as the caller keeps the connection."""


Outcome = Reply | Cut | Silence
Handler = Callable[[Request], Awaitable[Outcome]]


async def listen(handler: Handler, port: int, tls: ssl.SSLContext | None = None) -> asyncio.Server:
    """Serve on 127.0.0.1; port 0 takes a free one."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(
            OSError, asyncio.IncompleteReadError, asyncio.CancelledError
        ):  # the end of the server is no error
            while await _converse(handler, reader, writer):
                pass
        writer.close()

    return await asyncio.start_server(connected, "127.0.0.1", port, backlog=2048, ssl=tls)


async def _converse(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """One request and its answer; whether the connection can be used for another."""
    request = await _read(reader)
    match await handler(request):
        case Reply(body=tuple()) as reply:
            await _send_pieces(reply, writer)
            return not reply.cut and request.headers.get("connection", "").lower() != "close"
        case Reply() as reply:
            data = _as_bytes(reply)
            writer.write(data[: len(data) // 2] if reply.cut else data)
            await writer.drain()
            return not reply.cut and request.headers.get("connection", "").lower() != "close"
        case Silence():
            await reader.read()  # until the caller gives up
    return False


async def _send_pieces(reply: Reply, writer: asyncio.StreamWriter) -> None:
    """In chunks, as servers stream; a piece need not end where a line or a letter does."""
    writer.write(_head(reply, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}))
    pieces = reply.body[: len(reply.body) // 2] if reply.cut else reply.body
    for piece in pieces:
        await asyncio.sleep(reply.pause_s)
        writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        await writer.drain()
    if not reply.cut:
        writer.write(b"0\r\n\r\n")
        await writer.drain()


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
    return _head(reply, {"Content-Type": "application/json", "Content-Length": str(len(body))}) + body


def _head(reply: Reply, usual: Mapping[str, str]) -> bytes:
    lines = [f"{name}: {value}" for name, value in {**usual, **reply.headers}.items()]
    phrase = HTTPStatus(reply.status).phrase if reply.status in set(HTTPStatus) else "Other"
    return "\r\n".join([f"HTTP/1.1 {reply.status} {phrase}", *lines, "", ""]).encode("latin-1")
