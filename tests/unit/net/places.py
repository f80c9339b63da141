"""A network of tests: names with the answers they give, and public addresses that lead to servers on loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpcore

PUBLIC = "93.184.215.14"
Handler = Callable[[asyncio.StreamWriter, str], Awaitable[None]]
"""Answers one request, given its head."""


class Network(httpcore.AsyncNetworkBackend):
    """Dials the test's server whatever the address, and remembers which one was asked for."""

    def __init__(self) -> None:
        self.dialled: list[tuple[str, int]] = []
        self.port = 0

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.dialled.append((host, port))
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self.port, timeout)


class Names:
    """A name server. A name's answers come one after the other; the last one stays."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers: dict[str, Iterator[Sequence[str]]] = {}
        self._last: dict[str, Sequence[str]] = {}
        for name, each in answers.items():
            self._answers[name.replace("_", ".")] = iter(each)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        if host not in self._answers:
            raise OSError("Name or service not known")
        self._last[host] = next(self._answers[host], self._last.get(host, ()))
        return self._last[host]


@dataclass
class Seen:
    """The heads of the requests that came."""

    heads: list[str] = field(default_factory=list)


@asynccontextmanager
async def serving(handler: Handler, network: Network, tls: ssl.SSLContext | None = None) -> AsyncIterator[Seen]:
    """A server on loopback that the network's public addresses lead to."""
    seen = Seen()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            seen.heads.append(head)
            await handler(writer, head)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as server:
        network.port = server.sockets[0].getsockname()[1]
        yield seen


def answering(*answers: bytes) -> Handler:
    """Each request gets the next of these answers, the last one again and again."""
    left = list(answers)

    async def handler(writer: asyncio.StreamWriter, _head: str) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    return handler


def ok(body: bytes, *headers: str) -> bytes:
    head = "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers])
    return head.encode() + b"\r\n\r\n" + body


def redirect(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()
