"""Nudges between processes that share a Postgres, on one machine or on many: NOTIFY, after the commit and gathered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection

import structlog

from safelight.domain.ids import new_id
from safelight.events.hub import Hub
from safelight.queues.channel import Channel, Connection, Pace
from safelight.queues.nudger import parcels

log = structlog.get_logger(__name__)

GATHER_S = 0.005
"""Wake-ups of this span travel together: every NOTIFY is a commit, and Postgres takes them one by one."""
LARGEST_BYTES = 7_800
"""Postgres takes less than 8000; the sender's name comes before."""
CLOSE_WITHIN_S = 1.0
_SCHEME = "postgres/"


class Notices:
    """Everyone hears everyone, so an address only tells that somebody is there."""

    def __init__(self, hub: Hub, connect: Callable[[], Connection], pace: Pace | None = None) -> None:
        self._hub, self._connect, self._pace = hub, connect, pace
        self._name = new_id()
        self._in_company = False
        self._gathered: set[str] = set()
        self._channel: Channel | None = None

    async def open(self) -> None:
        """Begin to listen. A server that is away is waited for, in the background."""
        loop = asyncio.get_running_loop()

        def on_loop(work: Callable[..., None]) -> Callable[..., None]:
            return lambda *args: None if loop.is_closed() else _quietly(loop, work, *args)

        self._channel = Channel(self._connect, self._name, on_loop(self._hear), on_loop(self._hub.wake_all), self._pace)
        self._channel.start()

    @property
    def address(self) -> str | None:
        return None if self._channel is None else f"{_SCHEME}{self._name}"

    def set_peers(self, addresses: Collection[str]) -> None:
        """Who is alone says nothing to others."""
        self._in_company = any(a.startswith(_SCHEME) and a != self.address for a in addresses)

    def announce(self, topics: tuple[str, ...]) -> None:
        self._hub.wake(topics)
        if not self._in_company or self._channel is None:
            return
        if not self._gathered:
            asyncio.get_running_loop().call_later(GATHER_S, self._send)
        self._gathered.update(topics)

    def close(self) -> None:
        if self._channel is not None:
            self._send()
            self._channel.stop(CLOSE_WITHIN_S)
            self._channel = None

    def _send(self) -> None:
        topics, self._gathered = sorted(self._gathered), set()
        if self._channel is not None and topics:
            self._channel.say(list(parcels(topics, LARGEST_BYTES)))

    def _hear(self, text: str) -> None:
        try:
            topics = json.loads(text)
        except (ValueError, RecursionError):
            log.warning("nudge_unreadable", size_bytes=len(text))
            return
        if isinstance(topics, list):
            self._hub.wake(topic for topic in topics if isinstance(topic, str))


def _quietly(loop: asyncio.AbstractEventLoop, work: Callable[..., None], *args: object) -> None:
    """From the channel's thread; a loop that is closing hears nothing more."""
    try:
        loop.call_soon_threadsafe(work, *args)
    except RuntimeError:
        log.debug("nudge_came_too_late")
