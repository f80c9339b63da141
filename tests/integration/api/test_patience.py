"""Connections that keep the server waiting: each is ended in time, and told why where it has asked for anything."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from safelight.api.patience import MOST_AHEAD, MOST_HEAD_BYTES, MOST_HEADERS, Patient
from safelight.api.proxies import read_networks

PATIENCE_S = 10.0


class Hasty(Patient):
    head_s = 0.2
    stall_s = 0.2


class Full(Patient):
    most_connections = staticmethod(lambda: 0)


class Crowded(Patient):
    """Room for four, so that one address may have two."""

    most_connections = staticmethod(lambda: 4)


class Unread(Patient):
    take_s = 0.1


@dataclass
class Echo:
    """Answers with the length of the body; remembers the messages it got."""

    heard: list[Message] = field(default_factory=list)
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    length: int | None = None
    """Answers with so many bytes before."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = 0
        self.headers = scope["headers"]
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        while True:
            message = await receive()
            self.heard.append(message)
            if message["type"] == "http.disconnect":
                return
            length += len(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _part in range((self.length or 0) // 2**16):
            await send({"type": "http.response.body", "body": bytes(2**16), "more_body": True})
        await send({"type": "http.response.body", "body": f"{length} bytes".encode()})


@dataclass
class Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    app: Echo
    connections: set[Any]

    def say(self, text: str | bytes) -> None:
        self.writer.write(text.encode() if isinstance(text, str) else text)

    async def rest(self) -> bytes:
        """All that comes until the server hangs up."""
        return await asyncio.wait_for(self.reader.read(), PATIENCE_S)


@asynccontextmanager
async def line(protocol: type[Patient] = Hasty, others: Sequence[Any] = ()) -> AsyncIterator[Line]:
    app = Echo()
    server = uvicorn.Server(uvicorn.Config(app, http=protocol, log_config=None, lifespan="off"))
    server.config.load()
    server.server_state.connections.update(others)
    server.lifespan = server.config.lifespan_class(server.config)
    listening = await asyncio.get_running_loop().create_server(
        lambda: protocol(config=server.config, server_state=server.server_state, app_state={}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname()[:2])
    try:
        yield Line(reader, writer, app, server.server_state.connections)
    finally:
        writer.close()
        listening.close()


async def whole_answer(text: str | bytes) -> bytes:
    async with line() as found:
        found.say(text)
        return await found.rest()


def test_who_says_nothing_is_left_without_a_word() -> None:
    assert asyncio.run(whole_answer("")) == b""


def test_a_connection_too_many_is_refused_before_it_asks() -> None:
    """Files that visitors hold are missing to the work: the database, pictures and calls need some too."""

    async def told() -> bytes:
        async with line(Full) as found:
            return await found.rest()

    assert asyncio.run(told()).startswith(b"HTTP/1.1 503 Service Unavailable\r\nconnection: close")


class Visitor:
    """A connection of an address that is not ours."""

    def __init__(self, address: str) -> None:
        self.client = (address, 1)


async def third_connection(others: Sequence[str], protocol: type[Patient] = Crowded) -> bytes:
    """What is said at once to one more from 127.0.0.1, beside these; nothing where it may ask."""
    async with line(protocol, [Visitor(address) for address in others]) as found:
        found.say("GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        return await found.rest()


def test_one_address_may_have_half_of_all_connections_and_no_more() -> None:
    greedy = asyncio.run(third_connection(["127.0.0.1"] * 2))
    assert greedy.startswith(b"HTTP/1.1 429 Too Many Requests\r\nconnection: close")


def test_a_crowd_of_others_takes_nothing_from_an_address() -> None:
    assert asyncio.run(third_connection(["192.0.2.1"] * 2)).startswith(b"HTTP/1.1 200")


def test_a_trusted_proxy_speaks_for_many_and_may_have_them_all() -> None:
    class Trusting(Crowded):
        trusted = tuple(read_networks(["127.0.0.0/8"]))

    assert asyncio.run(third_connection(["127.0.0.1"] * 2, Trusting)).startswith(b"HTTP/1.1 200")


def test_a_head_of_very_many_lines_is_refused_though_it_came_at_once() -> None:
    lines = "".join(f"X-{n}: y\r\n" for n in range(MOST_HEADERS + 1))
    answer = asyncio.run(whole_answer(f"GET / HTTP/1.1\r\nHost: here\r\n{lines}\r\n"))
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large")
    assert answer.count(b"HTTP/1.1") == 1


MUCH = 64 * 2**20
ASKED = "GET / HTTP/1.1\r\nHost: here\r\n"


async def not_taken(asked: str, then: str = "", room: int | None = None) -> None:
    """Returns when it was let go. `room` is for what waits to be sent, before the program is paused."""
    answered, gone = asyncio.Event(), asyncio.Event()

    class Telling(Unread):
        head_s = 0.1

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            transport.set_write_buffer_limits(room)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            answered.set()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            gone.set()

    async with line(Telling) as found:
        found.app.length = MUCH
        found.say(asked)
        if then:
            await asyncio.wait_for(answered.wait(), PATIENCE_S)
            found.say(then)
        await asyncio.wait_for(gone.wait(), PATIENCE_S)


def test_who_does_not_take_what_it_asked_for_is_let_go() -> None:
    asyncio.run(not_taken(f"{ASKED}\r\n"))


@pytest.mark.parametrize(
    ("asked", "then"),
    [(f"{ASKED}Connection: close\r\n\r\n", ""), (f"{ASKED}\r\n", "GET /half"), (f"{ASKED}\r\n", "\x00")],
    ids=["asked to end", "half a head", "nonsense"],
)
def test_who_does_not_take_the_last_of_it_before_a_goodbye_is_let_go(asked: str, then: str) -> None:
    """The program has written all and was never paused: nobody but the transport knows that something waits."""
    asyncio.run(not_taken(asked, then, room=2 * MUCH))


def test_who_takes_it_slowly_gets_it_all() -> None:
    """The system has a little less at each look, as if the other side had taken some; then it takes the rest."""

    async def play() -> int:
        looked = asyncio.Event()

        class Slow(Unread):
            take_s = 0.01
            looks = 0

            def _in_the_system(self) -> int:
                self.looks += 1
                if self.looks == 4:
                    looked.set()
                return 100 - self.looks

        async with line(Slow) as found:
            found.app.length = 16 * 2**20
            found.say("GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            await asyncio.wait_for(looked.wait(), PATIENCE_S)
            return len(await found.rest())

    assert asyncio.run(play()) > 16 * 2**20


def test_visitors_leave_a_quarter_of_the_open_files_to_the_work() -> None:
    assert Patient.most_connections() == resource.getrlimit(resource.RLIMIT_NOFILE)[0] * 3 // 4


@pytest.mark.parametrize("head", ["G", "GET / HTTP/1.1\r\nHost: here\r\n"])
def test_half_a_head_is_not_waited_for(head: str) -> None:
    assert asyncio.run(whole_answer(head)).startswith(b"HTTP/1.1 408 Request Timeout\r\nconnection: close")


def test_a_head_without_end_is_refused_before_it_fills_the_memory() -> None:
    endless = b"GET / HTTP/1.1\r\nHost: here\r\nX-Much: " + b"x" * MOST_HEAD_BYTES
    assert asyncio.run(whole_answer(endless)).startswith(b"HTTP/1.1 431 Request Header Fields Too Large")


CHUNKED = "POST / HTTP/1.1\r\nHost: here\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"


def test_what_follows_a_body_without_end_is_refused_before_it_fills_the_memory() -> None:
    async def play() -> bytes:
        async with line(Patient) as found:
            found.say(f"{CHUNKED}Expect: 100-continue\r\n\r\n")
            await found.reader.readuntil(b"100 Continue\r\n\r\n")
            found.say(b"0\r\nX-Much: " + b"x" * MOST_HEAD_BYTES)
            return await found.rest()

    assert asyncio.run(play()).startswith(b"HTTP/1.1 431 Request Header Fields Too Large")


def test_what_follows_a_body_is_no_header() -> None:
    """A proxy that passes it on has not looked at it: who calls, and from where, would be whatever a stranger says."""

    async def play() -> list[tuple[bytes, bytes]]:
        async with line() as found:
            trailers = "X-Forwarded-For: 192.0.2.1\r\nAuthorization: Bearer key\r\n"
            found.say(f"{CHUNKED}\r\n4\r\nbody\r\n0\r\n{trailers}\r\n")
            assert b"4 bytes" in await found.rest()
            return found.app.headers

    assert [name for name, _ in asyncio.run(play())] == [b"host", b"connection", b"transfer-encoding"]


@pytest.mark.parametrize(("ahead", "answers"), [(MOST_AHEAD, MOST_AHEAD + 1), (MOST_AHEAD + 1, 0)])
def test_so_many_requests_may_be_sent_ahead_and_no_more_are_kept(ahead: int, answers: int) -> None:
    async def play() -> bytes:
        async with line() as found:
            found.say(f"{ASKED}\r\n" * ahead + f"{ASKED}Connection: close\r\n\r\n")
            return await found.rest()

    assert asyncio.run(play()).count(b"HTTP/1.1 200 OK") == answers


HALF = "POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nhalf"
HALF_ANSWERED = b"4 bytes\r\n0\r\n\r\n"


def test_an_empty_line_after_an_answer_holds_no_place() -> None:
    async def play() -> bytes:
        async with line() as found:
            found.say(HALF)
            await found.reader.readuntil(HALF_ANSWERED)
            found.say("\r\n")
            return await found.rest()

    assert asyncio.run(play()) == b""


def test_a_connection_that_becomes_a_socket_after_an_answer_is_not_waited_for() -> None:
    async def play() -> None:
        made: list[Patient] = []

        class Kept(Hasty):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                made.append(self)

        async with line(Kept) as found:
            found.say(HALF)
            await found.reader.readuntil(HALF_ANSWERED)
            upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            found.say(f"GET / HTTP/1.1\r\nHost: here\r\n{upgrade}Sec-WebSocket-Key: {'A' * 22}==\r\n\r\n")
            await found.reader.readuntil(b"101 Switching Protocols\r\n")
            assert made[0]._timer is None

    asyncio.run(play())


def test_a_body_that_stops_coming_is_given_up_and_the_program_told() -> None:
    async def play() -> None:
        async with line() as found:
            found.say("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nhalf")
            assert (await found.rest()).startswith(b"HTTP/1.1 408")
            assert [message["type"] for message in found.app.heard] == ["http.request", "http.disconnect"]

    asyncio.run(play())


def test_the_next_request_on_the_same_connection_has_as_little_time() -> None:
    async def play() -> None:
        async with line() as found:
            found.say("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nhalf")
            assert b"4 bytes" in await found.reader.readuntil(b"4 bytes\r\n0\r\n\r\n")
            found.say("GET /again HT")
            assert (await found.rest()).startswith(b"HTTP/1.1 408")

    asyncio.run(play())


def test_a_slow_line_may_take_as_long_as_it_likes_for_a_body() -> None:
    """Each look at the silence comes before the time is over, as if bytes had come in between."""

    class Slow(Hasty):
        looks = 0

        def _look_at_body(self) -> None:
            type(self).looks += 1
            self._heard_at = self.loop.time()
            super()._look_at_body()
            if self.looks == 3:
                self.data_received(b"done!")

    async def play() -> None:
        async with line(Slow) as found:
            found.say("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nhalf")
            await asyncio.wait_for(found.reader.readuntil(b"9 bytes"), PATIENCE_S)

    asyncio.run(play())


def test_what_waits_for_its_answer_is_not_hurried() -> None:
    """A long wait for a job is our silence, not the caller's: no clock runs."""

    async def play() -> None:
        async with line() as found:
            found.say("GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            await asyncio.wait_for(found.reader.readuntil(b"0 bytes"), PATIENCE_S)
            (held,) = found.connections
            assert isinstance(held, Hasty)
            assert held._timer is None

    asyncio.run(play())
