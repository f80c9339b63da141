"""A client of Phoenix channels that says exactly what a test wants it to, also what no real client would."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

PATIENCE_S = 20.0
PATH = "/socket/websocket?vsn=2.0.0"


class Heard(NamedTuple):
    """A message of the server."""

    join_ref: Any
    ref: Any
    topic: str
    event: str
    payload: Any


class PhoenixClient:
    """One socket. Messages that a test does not wait for at the moment are kept for later, in order."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._refs = iter(range(1, 1_000_000))
        self._kept: list[Heard] = []

    def push(self, topic: str, event: str, payload: Any = None, join_ref: Any = "1", ref: Any = "") -> str:
        """Send a message; its ref."""
        ref = str(next(self._refs)) if ref == "" else ref
        self.socket.send(json.dumps([join_ref, ref, topic, event, {} if payload is None else payload]))
        return str(ref)

    def ask(self, topic: str, event: str, payload: Any = None, join_ref: Any = "1") -> dict[str, Any]:
        """Send a message; the payload of its reply."""
        ref = self.push(topic, event, payload, join_ref)
        reply: dict[str, Any] = self.until(lambda heard: heard.event == "phx_reply" and heard.ref == ref).payload
        return reply

    def join(self, task_id: str, join_ref: Any = "1") -> dict[str, Any]:
        return self.ask(f"task:{task_id}", "phx_join", join_ref=join_ref)

    def hear(self, event: str) -> dict[str, Any]:
        """The payload of the next push of that event."""
        found: dict[str, Any] = self.until(lambda heard: heard.event == event).payload
        return found

    def hear_end(self) -> list[dict[str, Any]]:
        """Every `progress` up to that which says how the task ended."""
        heard = [self.hear("progress")]
        while heard[-1]["status"] in ("queued", "processing"):
            heard.append(self.hear("progress"))
        return heard

    def until(self, wanted: Any) -> Heard:
        """The first message, kept or new, that is wanted."""
        for at, heard in enumerate(self._kept):
            if wanted(heard):
                return self._kept.pop(at)
        while not wanted(heard := self.next()):
            self._kept.append(heard)
        return heard

    def next(self) -> Heard:
        """The next message from the socket."""
        return Heard(*json.loads(self.socket.recv(PATIENCE_S)))

    def everything(self) -> list[Heard]:
        """What was sent up to now: a heartbeat comes back behind it."""
        self.ask("phoenix", "heartbeat", join_ref=None)
        kept, self._kept = self._kept, []
        return kept


@contextmanager
def phoenix(base: str, path: str = PATH, subprotocols: Sequence[str] = (), **options: Any) -> Iterator[PhoenixClient]:
    """Connected to the server at that address, for as long as the block lasts."""
    offered = [Subprotocol(name) for name in subprotocols] or None
    url = f"ws{base.removeprefix('http')}{path}"
    with connect(url, subprotocols=offered, proxy=None, max_size=None, **options) as socket:
        yield PhoenixClient(socket)
