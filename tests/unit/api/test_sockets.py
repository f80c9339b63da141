"""What a client may send over a socket without end: nothing of it is kept."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState
from websockets.frames import CloseCode, Frame, Opcode

from safelight.api.sockets import MOST_PARTS, Sockets

KEY = base64.b64encode(bytes(16))
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
)
PING = Frame(Opcode.PING, b"x" * 125).serialize(mask=True)
PONG_BYTES = 127


class Pipe(asyncio.Transport):
    """The server's end of a connection: keeps what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def close(self) -> None: ...

    def is_closing(self) -> bool:
        return False


async def accepting(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


def spoken_to(story: Callable[[Sockets, Pipe], Awaitable[None]]) -> None:
    """A socket that has been opened, on its own loop."""

    async def told() -> None:
        config = uvicorn.Config(accepting, log_config=None, ws_ping_interval=None)
        pipe, sockets = Pipe(), Sockets(config, ServerState(), {})
        sockets.connection_made(pipe)
        sockets.data_received(HANDSHAKE + b"Sec-WebSocket-Key: " + KEY + b"\r\n\r\n")
        async with asyncio.timeout(10):
            while not pipe.written:  # noqa: ASYNC110 - it is opened by a task of uvicorn's own
                await asyncio.sleep(0)
        pipe.written = b""
        await story(sockets, pipe)
        sockets.connection_lost(None)

    asyncio.run(told())


def test_pings_are_answered_as_long_as_the_answers_are_taken() -> None:
    async def story(sockets: Sockets, pipe: Pipe) -> None:
        sockets.data_received(PING)
        assert len(pipe.written) == PONG_BYTES
        sockets.pause_writing()
        for _ in range(100):
            sockets.data_received(PING * 10)
        assert len(pipe.written) == PONG_BYTES
        sockets.resume_writing()
        sockets.data_received(PING)
        assert len(pipe.written) == 2 * PONG_BYTES, "and what was left out is not made up for"

    spoken_to(story)


def test_parts_of_a_message_that_bring_nothing_are_not_kept() -> None:
    async def story(sockets: Sockets, pipe: Pipe) -> None:
        sockets.data_received(Frame(Opcode.TEXT, b"a", fin=False).serialize(mask=True))
        sockets.data_received(Frame(Opcode.CONT, b"", fin=False).serialize(mask=True) * 1_000)
        assert len(sockets.frames) == 1
        sockets.data_received(Frame(Opcode.CONT, b"b", fin=False).serialize(mask=True))
        sockets.data_received(Frame(Opcode.CONT, b"", fin=True).serialize(mask=True))
        assert sockets.queue.get_nowait() == {"type": "websocket.receive", "text": "ab"}

    spoken_to(story)


def test_a_message_in_very_many_parts_ends_the_socket_and_is_not_kept() -> None:
    async def story(sockets: Sockets, pipe: Pipe) -> None:
        sockets.data_received(Frame(Opcode.TEXT, b"a", fin=False).serialize(mask=True))
        sockets.data_received(Frame(Opcode.CONT, b"a", fin=False).serialize(mask=True) * MOST_PARTS)
        assert sockets.frames == []
        (code,) = struct.unpack("!H", pipe.written[2:4])
        assert code == CloseCode.MESSAGE_TOO_BIG

    spoken_to(story)
