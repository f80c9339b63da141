"""A paid request leaves once, on a fresh connection, under the lease; what fails before its first byte is proof."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from safelight.providers.protocol import NotSent
from safelight.providers.transport import post_once, stream_once
from safelight.testing.throwaway import free_port

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Counts the requests it reads, and answers as it is told."""

    def __init__(self, answer: bytes = ANSWER, *, hangs: bool = False) -> None:
        self._answer, self._hangs = answer, hangs
        self.lease_held = True
        self.connections = self.requests = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            writer.write(self._answer)
            await writer.drain()
            if self._hangs:
                await reader.read()  # until the caller gives up
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


def post(server: Server, *, times: int = 1, may_send: Callable[[], bool] = lambda: True) -> list[httpx.Response]:
    async def run() -> list[httpx.Response]:
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            url = f"http://127.0.0.1:{port}/generate"
            return [await post_once(url, may_send=may_send, timeout_s=5.0, json={"prompt": "x"}) for _ in range(times)]

    return asyncio.run(run())


def test_every_paid_request_has_a_connection_of_its_own() -> None:
    server = Server()
    assert [answer.status_code for answer in post(server, times=3)] == [200, 200, 200]
    assert (server.connections, server.requests) == (3, 3)


def test_nothing_is_sent_once_the_lease_is_gone_although_the_connection_stands() -> None:
    server = Server()
    with pytest.raises(NotSent, match="lease"):
        post(server, may_send=lambda: False)
    assert server.requests == 0


def test_a_refused_connection_is_proof_that_nothing_was_sent() -> None:
    url = f"http://127.0.0.1:{free_port()}/generate"
    with pytest.raises(NotSent, match="no connection"):
        asyncio.run(post_once(url, may_send=lambda: True, timeout_s=5.0, content=b"x"))


def test_an_answer_that_is_cut_is_no_proof_and_is_not_asked_for_again() -> None:
    server = Server(answer=b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")
    with pytest.raises(httpx.RemoteProtocolError):
        post(server)
    assert server.requests == 1


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    server = Server(answer=b"HTTP/1.1 307 Elsewhere\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
    assert [answer.status_code for answer in post(server)] == [307]
    assert server.requests == 1


BEGUN = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ndata:\r\n"


def stream(server: Server, **limits: float) -> list[bytes]:
    async def run() -> list[bytes]:
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
            url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/write"
            given = {"idle_s": 5.0, "timeout_s": 5.0, **limits}
            async with stream_once(url, may_send=lambda: server.lease_held, json={}, **given) as answer:
                return [piece async for piece in answer.aiter_bytes()]

    return asyncio.run(run())


def test_a_stream_is_read_as_it_comes() -> None:
    assert stream(Server(BEGUN + b"3\r\n yo\r\n0\r\n\r\n")) == [b"data:", b" yo"]


def test_a_stream_is_not_asked_for_without_the_lease() -> None:
    server = Server(BEGUN)
    server.lease_held = False
    with pytest.raises(NotSent, match="lease"):
        stream(server)
    assert server.requests == 0


def test_a_stream_that_is_cut_is_no_proof_and_is_not_asked_for_again() -> None:
    server = Server(BEGUN)
    with pytest.raises(httpx.RemoteProtocolError):
        stream(server)
    assert server.requests == 1


@pytest.mark.parametrize(
    ("limits", "error"), [({"idle_s": 0.1}, httpx.ReadTimeout), ({"timeout_s": 0.1}, TimeoutError)], ids=["idle", "all"]
)
def test_a_stream_that_falls_silent_is_given_up(limits: dict[str, float], error: type[Exception]) -> None:
    server = Server(BEGUN, hangs=True)
    with pytest.raises(error):
        stream(server, **limits)
    assert server.requests == 1


def test_a_refused_connection_to_a_stream_is_proof_that_nothing_was_sent() -> None:
    async def run() -> None:
        url = f"http://127.0.0.1:{free_port()}/write"
        async with stream_once(url, may_send=lambda: True, idle_s=5.0, timeout_s=5.0):
            pass

    with pytest.raises(NotSent, match="no connection"):
        asyncio.run(run())
