"""`/api/ws`: live updates over a WebSocket. A client subscribes to jobs, or to all of its own.

What a topic tells is `topics.py`, and the same as over server-sent events.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any, Final

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from safelight.api import guests
from safelight.api.context import require, visitor_of
from safelight.api.errors import refusal
from safelight.api.strict import check_value, read_json
from safelight.api.topics import Watching, job_news, user_news, watched
from safelight.api.wording import Worded
from safelight.app import Safelight
from safelight.domain.errors import InvalidRequest, RateLimited, Remedy, SafelightError
from safelight.domain.jobs import LIVE

log = structlog.get_logger(__name__)
router = APIRouter()

PATH: Final = "/api/ws"
MOST_TOPICS: Final = 200
USER, JOB = "user", "job:"


@router.websocket(PATH)
async def live(websocket: WebSocket) -> None:
    """Speak with one client until it goes."""
    safelight: Safelight = websocket.app.state.safelight
    with ExitStack() as stack:
        try:
            caller = require(await visitor_of(websocket), "jobs")
            stack.enter_context(guests.counted(websocket, caller))
        except SafelightError as error:
            return await refusal(websocket.scope, error)(websocket.scope, websocket.receive, websocket.send)
        await websocket.accept()
        client = _Client(websocket, Watching(safelight, websocket.app.state.wording, caller))
        await guests.conversing(websocket, client.run())
    return None


class _Client:
    """One client: requests are read in turn, each topic is told beside."""

    def __init__(self, websocket: WebSocket, watching: Watching) -> None:
        self._websocket, self._watching = websocket, watching
        self._topics: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        guard = asyncio.create_task(guests.guard(self._websocket, self._watching.caller))
        try:
            while True:
                await self._handle(await self._websocket.receive_text())
        except WebSocketDisconnect:
            return
        except KeyError:  # bytes instead of a text
            await guests.close(self._websocket, guests.POLICY, "This socket takes texts only.")
        except TimeoutError:
            await guests.close(self._websocket, guests.TRY_AGAIN, guests.STALLED)
        finally:
            tasks = [guard, *self._topics.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _handle(self, text: str) -> None:
        topic: str | None = None
        try:
            asked = _read(text)
            match asked:
                case {"ping": n}:
                    await self._say({"pong": n})
                case {"subscribe": str(topic)}:
                    await self._subscribe(topic, _cursor(asked.get("after")))
                case {"unsubscribe": str(topic)}:
                    self._drop(topic)
                    await self._say({"unsubscribed": topic})
                case _:
                    raise _not_understood()
        except SafelightError as error:
            await self._refuse(error, topic)

    async def _subscribe(self, topic: str, after: int | None) -> None:
        """A second subscription to a topic takes the place of the first."""
        if topic not in self._topics and len(self._topics) >= MOST_TOPICS:
            raise _too_many_topics()
        news, ended = await self._news(topic, after)
        self._drop(topic)
        await self._say({"subscribed": topic, **({"ended": True} if ended else {})})
        if not ended:
            self._topics[topic] = asyncio.create_task(self._tell(topic, news))

    async def _news(self, topic: str, after: int | None) -> tuple[AsyncIterator[Worded | None], bool]:
        """The news of a topic, and whether there will be none. Raises NotFound or Gone, for other people's too."""
        if topic == USER:
            return user_news(self._watching), False
        if not topic.startswith(JOB):
            raise _not_understood()
        safelight, _, caller = self._watching
        details = await watched(safelight, topic.removeprefix(JOB), caller, after)
        job = details.job
        cursor = None if after is None else min(after, job.sequence)
        ended = job.status not in LIVE and cursor == job.sequence
        return job_news(self._watching, details, cursor), ended

    async def _tell(self, topic: str, news: AsyncIterator[Worded | None]) -> None:
        """All news of one topic. What fails is said, and the others of this socket go on."""
        try:
            async for worded in news:
                if worded is not None:
                    await guests.send(self._websocket, worded.json)
            self._topics.pop(topic, None)
        except (WebSocketDisconnect, TimeoutError):
            await guests.close(self._websocket, guests.TRY_AGAIN, guests.STALLED)
        except Exception as error:  # the edge of a topic
            if not isinstance(error, SafelightError):
                log.exception("topic_crashed", topic=topic[:100])
                error = InvalidRequest("Its news cannot be told now.", remedy=Remedy("Subscribe again."))
            self._topics.pop(topic, None)
            await self._refuse(error, topic)

    def _drop(self, topic: str) -> None:
        if (task := self._topics.pop(topic, None)) is not None:
            task.cancel()

    async def _refuse(self, error: SafelightError, topic: str | None) -> None:
        said = {"error": {"code": error.code, "message": error.what, "remedy": str(error.remedy)}}
        await self._say(said | ({"topic": topic[:200]} if topic is not None else {}))

    async def _say(self, message: dict[str, Any]) -> None:
        await guests.send(self._websocket, json.dumps(message))


def _read(text: str) -> dict[str, Any]:
    try:
        asked = read_json(text)
        check_value(asked)
    except InvalidRequest as error:
        raise _not_understood() from error
    if not isinstance(asked, dict):
        raise _not_understood()
    return asked


def _cursor(after: object) -> int | None:
    if after is None:
        return None
    if not isinstance(after, int) or isinstance(after, bool) or after < 0:
        raise InvalidRequest(
            "`after` is the sequence of the last event that was seen.", remedy=Remedy("Leave it out for a snapshot.")
        )
    return after


def _not_understood() -> InvalidRequest:
    return InvalidRequest(
        "That message is not understood.",
        remedy=Remedy('Send {"subscribe": "job:ID"}, {"subscribe": "user"}, {"unsubscribe": …} or {"ping": 1}.'),
    )


def _too_many_topics() -> RateLimited:
    return RateLimited(
        f"This socket is subscribed to {MOST_TOPICS} topics already.",
        remedy=Remedy('Unsubscribe from some, or subscribe to "user", which has all of your jobs.'),
    )
