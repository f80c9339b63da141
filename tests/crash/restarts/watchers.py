"""Clients that follow jobs whatever happens: by stream, by topic, by the topic of their user, by polling.

Each does what the documentation tells it to do after a cut, and nothing more: it comes back, with its cursor if its
way has one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from safelight.client.sse import SseParser
from tests.crash.restarts.story import Story

SILENCE_S = 20.0
CUT = (httpx.TransportError, WebSocketException, OSError, TimeoutError)
BUSY = (429, 500, 502, 503, 504)


class Base:
    """What all of them share. `returns` counts how often they had to come back."""

    def __init__(self, url: str, dice: Random) -> None:
        self.url, self._dice = url, dice
        self.returns = 0

    async def back(self) -> None:
        """A moment later."""
        self.returns += 1
        await asyncio.sleep(self._dice.uniform(0.05, 0.3))

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[ClientConnection]:
        address = f"ws{self.url.removeprefix('http')}/api/ws"
        async with connect(address, proxy=None, compression=None, open_timeout=SILENCE_S) as connection:
            yield connection


class Streamer(Base):
    """Server-sent events of one job."""

    async def follow(self, http: httpx.AsyncClient, story: Story) -> None:
        while not story.ended:
            with suppress(*CUT):
                if await self._once(http, story):
                    return
            await self.back()

    async def _once(self, http: httpx.AsyncClient, story: Story) -> bool:
        """Until the stream breaks; True if nothing more will come."""
        headers = {} if story.cursor is None else {"Last-Event-ID": str(story.cursor)}
        address = f"{self.url}/api/jobs/{story.job_id}/events"
        async with http.stream("GET", address, headers=headers, timeout=SILENCE_S) as answer:
            if answer.status_code != httpx.codes.OK:
                if answer.status_code not in BUSY:
                    story.complaints.append(f"the stream was answered with {answer.status_code}")
                return answer.status_code not in BUSY
            parser = SseParser()
            async for piece in answer.aiter_bytes():
                for message in parser.feed(piece):
                    story.hear(json.loads(message.data))
        return story.ended


class TopicReader(Base):
    """One socket with the topics of many jobs, subscribed to as they come."""

    def __init__(self, url: str, dice: Random) -> None:
        super().__init__(url, dice)
        self.stories: dict[str, Story] = {}
        self._connection: ClientConnection | None = None

    async def add(self, story: Story) -> None:
        self.stories[story.job_id] = story
        if self._connection is not None:
            with suppress(*CUT):
                await self._subscribe(self._connection, story)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            with suppress(*CUT):
                async with self.socket() as connection:
                    for story in list(self.stories.values()):
                        await self._subscribe(connection, story)
                    self._connection = connection
                    async for text in connection:
                        self._hear(json.loads(text))
            self._connection = None
            await self.back()

    async def _subscribe(self, connection: ClientConnection, story: Story) -> None:
        if not story.ended:
            after = {} if story.cursor is None else {"after": story.cursor}
            await connection.send(json.dumps({"subscribe": f"job:{story.job_id}", **after}))

    def _hear(self, said: dict[str, Any]) -> None:
        if "type" in said:
            self.stories[said["job_id"]].hear(said)
        elif "error" in said:
            topic = str(said.get("topic"))
            story = self.stories.get(topic.removeprefix("job:")) or next(iter(self.stories.values()))
            story.complaints.append(f"refused: {said}")


class UserReader(Base):
    """One socket with the topic of its user: it is told of jobs that it never asked for."""

    def __init__(self, url: str, dice: Random, story_of: Callable[[str], Story]) -> None:
        super().__init__(url, dice)
        self._story_of = story_of

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            with suppress(*CUT):
                async with self.socket() as connection:
                    await connection.send('{"subscribe": "user"}')
                    async for text in connection:
                        said = json.loads(text)
                        if "type" in said:
                            self._story_of(said["job_id"]).hear(said)
            await self.back()


class Poller(Base):
    """Asks for one job again and again, as often as the answers say."""

    async def follow(self, http: httpx.AsyncClient, story: Story) -> None:
        etag, wait_s = "", 0.0
        while not story.ended:
            await asyncio.sleep(wait_s)
            try:
                headers = {"If-None-Match": etag} if etag else {}
                answer = await http.get(f"{self.url}/api/jobs/{story.job_id}", headers=headers, timeout=SILENCE_S)
            except CUT:
                await self.back()
                continue
            wait_s = float(answer.headers.get("Retry-After", "1"))
            if answer.is_success:
                etag = answer.headers["ETag"]
                story.look(answer.json())
            elif answer.status_code not in (304, *BUSY):
                story.complaints.append(f"a poll was answered with {answer.status_code}")
                return
