"""Everybody who watches: for each job one of each kind that follows one job, and a few who follow all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

import httpx

from tests.crash.restarts.story import Story, Truth, judge
from tests.crash.restarts.watchers import Poller, Streamer, TopicReader, UserReader

TOPIC_READERS, USER_READERS = 4, 3


@dataclass(slots=True)
class Line:
    """What the clients of one kind add up to."""

    stories: int = 0
    events: int = 0
    returns: int = 0
    wrong: int = 0


class Crowd:
    """Its stories are by kind of client and job; those of several clients of a kind are told apart by a number."""

    def __init__(self, url: str, dice: Random) -> None:
        self.stories: dict[tuple[str, str], Story] = {}
        self._http = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=None))
        self._streamer, self._poller = Streamer(url, dice), Poller(url, dice)
        self._topics = [TopicReader(url, dice) for _ in range(TOPIC_READERS)]
        self._users = [UserReader(url, dice, self._told_to(f"user {n}")) for n in range(USER_READERS)]
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        self._tasks += [asyncio.create_task(reader.run()) for reader in (*self._topics, *self._users)]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()

    async def watch(self, job_id: str, number: int) -> None:
        """Have the job followed by one of each kind."""
        self._tasks.append(asyncio.create_task(self._streamer.follow(self._http, self._story("stream", job_id))))
        self._tasks.append(asyncio.create_task(self._poller.follow(self._http, self._story("polling", job_id))))
        await self._topics[number % TOPIC_READERS].add(self._story("topic", job_id))
        for n in range(USER_READERS):
            self._story(f"user {n}", job_id)

    @property
    def waiting(self) -> list[Story]:
        """Those that have not heard the end."""
        return [story for story in self.stories.values() if not story.ended]

    def failed(self) -> list[str]:
        """The clients themselves must not fail."""
        ended = [task for task in self._tasks if task.done() and not task.cancelled()]
        return [f"a client failed: {error!r}" for task in ended if (error := task.exception())]

    def verdict(self, truths: Mapping[str, Truth]) -> tuple[dict[str, Line], list[str]]:
        """What each kind adds up to, and all complaints."""
        lines = {"stream": Line(), "topic": Line(), "user": Line(), "polling": Line()}
        complaints = self.failed()
        for (client, job_id), story in self.stories.items():
            kind = client.split()[0]
            found = judge(story, truths[job_id], in_one=kind in ("stream", "topic"))
            lines[kind].stories += 1
            lines[kind].events += story.events
            lines[kind].wrong += bool(found)
            complaints += found
        lines["stream"].returns, lines["polling"].returns = self._streamer.returns, self._poller.returns
        lines["topic"].returns = sum(reader.returns for reader in self._topics)
        lines["user"].returns = sum(reader.returns for reader in self._users)
        return lines, complaints

    def _story(self, client: str, job_id: str) -> Story:
        return self.stories.setdefault((client, job_id), Story(job_id, client))

    def _told_to(self, client: str) -> Callable[[str], Story]:
        return lambda job_id: self._story(client, job_id)


@asynccontextmanager
async def crowd(url: str, dice: Random) -> AsyncIterator[Crowd]:
    """A crowd that goes home when the block ends."""
    made = Crowd(url, dice)
    made.open()
    try:
        yield made
    finally:
        await made.close()
