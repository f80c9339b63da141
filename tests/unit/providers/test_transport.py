"""A paid request leaves once, on a fresh connection, under the lease; what fails before its first byte is proof."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable

import httpx
import pytest

from safelight.providers import transport, whole
from safelight.providers.anthropic.provider import AnthropicProvider
from safelight.providers.asking import Asking
from safelight.providers.gemini.provider import GeminiProvider
from safelight.providers.openai.provider import OpenAIProvider
from safelight.providers.protocol import Generation, NotSent
from safelight.providers.transport import post_once, stream_once
from safelight.testing.provider_conformance import Listener
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


def test_a_connection_that_is_not_made_in_time_is_proof_long_before_an_answer_would_be_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "CONNECT_WITHIN_S", 0.05)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()  # takes the connection, and never its part in TLS
        finally:
            writer.close()

    async def run() -> None:
        async with await asyncio.start_server(silent, "127.0.0.1", 0) as listening:
            url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}/generate"
            async with asyncio.timeout(20.0):
                await post_once(url, may_send=lambda: True, timeout_s=420.0, content=b"x")

    with pytest.raises(NotSent, match="no connection"):
        asyncio.run(run())


LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
REFUSED = LONG.replace(b"200 OK", b"400 Bad Request")


def asked(server: Server, ask: Callable[[str], Awaitable[object]]) -> object:
    async def run() -> object:
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
            return await ask(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")

    return asyncio.run(run())


def test_an_answer_without_measure_is_not_kept_and_nobody_knows_what_it_says() -> None:
    def ask(url: str) -> Awaitable[httpx.Response]:
        return post_once(url, may_send=lambda: True, timeout_s=5.0, content=b"x", limit_bytes=4999)

    with pytest.raises(httpx.HTTPError, match="more than 4999 bytes"):
        asked(Server(LONG), ask)


@pytest.mark.parametrize("provider", [OpenAIProvider, AnthropicProvider, GeminiProvider])
def test_a_refusal_of_a_text_without_measure_is_not_kept(
    provider: Callable[[str, str], OpenAIProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "MOST_ANSWER_BYTES", 4999)
    wanted = Generation("text", "m", "p", {})
    with pytest.raises(httpx.HTTPError, match="more than 4999 bytes"):
        asked(Server(REFUSED), lambda url: provider("key", url).start(wanted, "call", Listener()))


def test_an_answer_to_a_question_without_measure_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async def question(url: str) -> httpx.Response:
        asking = Asking(url)
        try:
            return await asking.get("/")
        finally:
            await asking.close()

    monkeypatch.setattr(whole, "MOST_ANSWER_BYTES", 4999)
    with pytest.raises(httpx.HTTPError, match="more than 4999 bytes"):
        asked(Server(LONG), question)


def test_an_answer_that_was_packed_for_the_way_is_read() -> None:
    packed = gzip.compress(b'{"a": 1}')
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    assert [answer.json() for answer in post(Server(head.encode() + packed))] == [{"a": 1}]
