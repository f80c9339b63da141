"""A thread that listens to a Postgres channel on a connection of its own, and speaks on it.

It comes back by itself after a server's restart. Now and then it tells itself something: behind a pooler that gives
every transaction another server connection, LISTEN hears nothing and says so to nobody.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from random import SystemRandom
from typing import Any

import psycopg
import structlog

from safelight.telemetry.spell import Spell

Connection = psycopg.Connection[tuple[Any, ...]]
log = structlog.get_logger(__name__)
_random = SystemRandom()

CHANNEL = "safelight"
LISTEN = f"LISTEN {CHANNEL}; SET synchronous_commit = off"
"""A nudge is not worth a wait for the disk."""
MOST_WAITING = 1_000


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between checks, for a check to come back, and between attempts to connect."""

    check_every_s: float = 10.0
    check_within_s: float = 5.0
    shortest_pause_s: float = 0.1
    longest_pause_s: float = 5.0


class _Unheard(Exception):
    """It was not told what it said itself."""


class Channel:
    """Carries short texts between all that listen. `heard` and `joined` are called in its thread.

    `joined` means: from now on nothing is missed, but something may have been before.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        name: str,
        heard: Callable[[str], None],
        joined: Callable[[], None],
        pace: Pace | None = None,
    ) -> None:
        self._connect, self._name, self._heard, self._joined = connect, name, heard, joined
        self._pace = pace or Pace()
        self._waiting: deque[str] = deque(maxlen=MOST_WAITING)
        self._stopping = threading.Event()
        self._bell, self._ringer = socket.socketpair()
        self._ringer.setblocking(False)
        self._spell = Spell(log, "nudges_unheard")
        self._pause_s = self._pace.shortest_pause_s
        self._said_at: float | None = None
        """Since when nothing has come back of what was said."""
        self._thread = threading.Thread(target=self._serve, name="safelight-listen", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def say(self, texts: Iterable[str]) -> None:
        """From any thread. What cannot be sent soon is forgotten."""
        self._waiting.extend(texts)
        self._ring()

    def stop(self, within_s: float) -> None:
        """Send what waits, if that is possible at once, and end."""
        self._stopping.set()
        self._ring()
        self._thread.join(within_s)

    def _ring(self) -> None:
        with suppress(OSError):  # it was rung already, or nobody is there any more
            self._ringer.send(b"!")

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                with closing(self._connect()) as connection:
                    connection.execute(LISTEN, prepare=False)
                    self._serve_on(connection)
            except (psycopg.Error, OSError, _Unheard) as error:
                self._spell.met(error, meanwhile="whoever waits looks again every two seconds")
            self._waiting.clear()
            self._stopping.wait(_random.uniform(self._pause_s / 2, self._pause_s))
            self._pause_s = min(self._pause_s * 2, self._pace.longest_pause_s)
        self._bell.close()
        self._ringer.close()

    def _serve_on(self, connection: Connection) -> None:
        self._joined()
        self._said_at, check_at = None, time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._bell, selectors.EVENT_READ)
            selector.register(connection, selectors.EVENT_READ)
            while not self._stopping.is_set():
                if time.monotonic() >= check_at:
                    self._waiting.append("[]")
                    check_at = time.monotonic() + self._pace.check_every_s
                self._converse(connection)
                self._wait(selector, min(self._pace.check_every_s, self._pace.check_within_s))
        self._converse(connection)

    def _converse(self, connection: Connection) -> None:
        """Say what waits, hear what is there."""
        while self._waiting:
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, f"{self._name} {self._waiting.popleft()}"))
            self._said_at = self._said_at or time.monotonic()
        for notice in connection.notifies(timeout=0):
            self._take(notice.payload)
        if self._said_at is not None and time.monotonic() - self._said_at > self._pace.check_within_s:
            raise _Unheard("a NOTIFY of its own did not come back; is there a pooler between?")

    def _take(self, payload: str) -> None:
        sender, _, text = payload.partition(" ")
        if sender != self._name:
            self._heard(text)
            return
        self._said_at, self._pause_s = None, self._pace.shortest_pause_s
        self._spell.over()

    def _wait(self, selector: selectors.BaseSelector, timeout_s: float) -> None:
        for key, _ in selector.select(timeout_s):
            if key.fileobj is self._bell:
                self._bell.recv(4096)
