"""One client on the socket of Phoenix channels: what it joins and leaves, heartbeats, and what belongs to no topic.

What happens on a topic is `task_channel.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from functools import partial
from typing import Any, Final, NamedTuple

import structlog
from fastapi import WebSocket, WebSocketDisconnect

from safelight.api import guests
from safelight.api.context import Visitor
from safelight.api.phoenix_frames import Frames, Message, Ref
from safelight.api.task_channel import OK, PREFIX, Reply, TaskChannel
from safelight.api.tasks import find_task
from safelight.app import Safelight
from safelight.domain.errors import InvalidRequest, NotFound, RateLimited, Remedy, SafelightError

log = structlog.get_logger(__name__)

MOST_TOPICS: Final = 100
MOST_REQUESTS: Final = 16
"""Of one client at the same time. Each may have to fetch a picture."""
BAD_FRAME: Final = 1007


class _Joined(NamedTuple):
    """A topic that the client has joined."""

    join_ref: Ref
    channel: TaskChannel
    telling: asyncio.Task[None]


class Connection:
    """One client. Messages are read in turn; what makes something is answered beside, so that heartbeats never wait.

    Nothing is kept for a client that does not read: every part that speaks to it waits.
    """

    def __init__(self, websocket: WebSocket, safelight: Safelight, caller: Visitor, frames: Frames) -> None:
        self._websocket, self._safelight, self._caller, self._frames = websocket, safelight, caller, frames
        self._topics: dict[str, _Joined] = {}
        self._told: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._requests = 0

    async def run(self) -> None:
        """Until the client goes, takes nothing for too long, or sends what is no message."""
        self._beside(guests.guard(self._websocket, self._caller))
        try:
            while True:
                await self._handle(await self._receive())
        except WebSocketDisconnect:
            return
        except TimeoutError:
            await guests.close(self._websocket, guests.TRY_AGAIN, guests.STALLED)
        except InvalidRequest as error:
            await guests.close(self._websocket, BAD_FRAME, error.what[:100])
        finally:
            tasks = [*self._tasks]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self) -> Message:
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        text = received.get("text")
        return self._frames.read(received["bytes"] if text is None else text)

    async def _handle(self, message: Message) -> None:
        joined = self._topics.get(message.topic)
        if message.topic == "phoenix" and message.event == "heartbeat":
            await self._reply(message, OK)
        elif message.event == "phx_join":
            await self._join(message, joined)
        elif message.event == "phx_leave":
            await self._leave(message, joined)
        elif joined is None or message.join_ref not in (None, joined.join_ref):
            await self._reply(message, _unmatched())
        else:
            await self._ask(message, joined)

    async def _join(self, message: Message, joined: _Joined | None) -> None:
        """A second join of a topic takes the place of the first, as with Phoenix.

        That the first has ended is told only where the client can tell it from the second: version 1 sends joins again
        without any ref after an outage, and would take the end of one for that of both.
        """
        if joined is not None:
            self._forget(message.topic, joined)
        if joined is not None and joined.join_ref not in (None, message.join_ref):
            await self._say_closed(message.topic, joined)
        if not message.topic.startswith(PREFIX):
            return await self._reply(message, _unmatched())
        if len(self._topics) >= MOST_TOPICS:
            text = f"This socket has joined {MOST_TOPICS} topics already: leave one, or open another socket."
            return await self._reply(message, Reply("error", {"reason": text}))
        try:
            channel = await self._channel(message)
        except NotFound:
            return await self._reply(message, Reply("error", {"reason": "Task not found"}))
        except SafelightError as error:
            return await self._reply(message, Reply("error", {"reason": error.what, "remedy": str(error.remedy)}))
        await self._reply(message, OK)
        telling = self._beside(self._tell(message, channel))
        self._topics[message.topic] = _Joined(message.join_ref, channel, telling)
        return None

    async def _channel(self, message: Message) -> TaskChannel:
        details = await find_task(self._safelight, message.topic[len(PREFIX) :], self._caller.user_id)
        push = partial(self._push, message.join_ref, message.topic)
        return TaskChannel(self._safelight, self._caller, details, self._told, push)

    async def _tell(self, message: Message, channel: TaskChannel) -> None:
        """What fails here the client hears of, and joins again."""
        try:
            await channel.tell()
        except WebSocketDisconnect:
            return
        except TimeoutError:
            await guests.close(self._websocket, guests.TRY_AGAIN, guests.STALLED)
        except Exception as error:  # the edge of a topic: the others of this socket live on
            if not isinstance(error, SafelightError):
                log.exception("channel_crashed", topic=message.topic[:100])
            self._topics.pop(message.topic, None)
            await self._send(message.join_ref, message.join_ref, message.topic, "phx_error", {})

    async def _leave(self, message: Message, joined: _Joined | None) -> None:
        await self._reply(message, OK)
        if joined is not None and message.join_ref in (None, joined.join_ref):
            self._forget(message.topic, joined)
            await self._say_closed(message.topic, joined)

    def _forget(self, topic: str, joined: _Joined) -> None:
        """No more news of it."""
        joined.telling.cancel()
        self._topics.pop(topic, None)

    async def _say_closed(self, topic: str, joined: _Joined) -> None:
        await self._send(joined.join_ref, joined.join_ref, topic, "phx_close", {})

    async def _ask(self, message: Message, joined: _Joined) -> None:
        refused = message.payload if isinstance(message.payload, InvalidRequest) else self._busy()
        if refused is not None:
            return await self._reply(message, await joined.channel.refuse(message.event, message.payload, refused))
        self._requests += 1
        self._beside(self._answer(message, joined.channel))
        return None

    def _busy(self) -> RateLimited | None:
        if self._requests < MOST_REQUESTS:
            return None
        text = f"This socket has {MOST_REQUESTS} requests that are not answered yet."
        return RateLimited(text, remedy=Remedy("Wait for the answer to one of them."))

    async def _answer(self, message: Message, channel: TaskChannel) -> None:
        assert isinstance(message.payload, dict)  # noqa: S101  # or it was refused
        try:
            await self._reply(message, await channel.answer(message.event, message.payload))
        except WebSocketDisconnect:
            return
        except TimeoutError:
            await guests.close(self._websocket, guests.TRY_AGAIN, guests.STALLED)
        finally:
            self._requests -= 1

    def _beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs until it is done, or the client goes."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _push(self, join_ref: Ref, topic: str, event: str, payload: dict[str, Any]) -> Awaitable[None]:
        return self._send(join_ref, None, topic, event, payload)

    async def _reply(self, message: Message, reply: Reply) -> None:
        await self._send(message.join_ref, message.ref, message.topic, "phx_reply", reply._asdict())

    async def _send(self, join_ref: Ref, ref: Ref, topic: str, event: str, payload: dict[str, Any]) -> None:
        """Raises WebSocketDisconnect once the client has gone, and TimeoutError if it takes nothing."""
        await guests.send(self._websocket, self._frames.written(join_ref, ref, topic, event, payload))


def _unmatched() -> Reply:
    return Reply("error", {"reason": "unmatched topic"})
