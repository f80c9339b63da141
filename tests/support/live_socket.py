"""A client of `/api/ws`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

PATIENCE_S = 20.0


class Socket:
    """What it says and hears are objects."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(self.connection.recv(PATIENCE_S))
        return heard

    def ask(self, **message: Any) -> dict[str, Any]:
        self.say(**message)
        return self.hear()

    def until(self, event_type: str) -> list[dict[str, Any]]:
        """All that it hears, up to the first event of that type."""
        heard = [self.hear()]
        while heard[-1].get("type") != event_type:
            heard.append(self.hear())
        return heard


@contextmanager
def connected(base: str, **options: Any) -> Iterator[Socket]:
    """A socket of the server at `http://…`."""
    address = f"ws{base.removeprefix('http')}/api/ws"
    with connect(address, proxy=None, compression=None, **options) as connection:
        yield Socket(connection)
