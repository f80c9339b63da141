"""How many connections there may be, and how long one may keep us waiting: for a whole head, for more of a body.

uvicorn ends connections that are idle after an answer, and no others: whoever opens one and says nothing, or half of
it, would hold a place for ever. What we send, streams, sockets and long waits for a job, is never cut here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from safelight.worker.machine import most_connections

HEAD_S: Final = 20.0
"""From the connection, or from the first byte of a later request, to the end of its head."""
STALL_S: Final = 60.0
"""Without a byte of a body that we are ready to read; a slow line may take as long as it likes."""
MOST_HEAD_BYTES: Final = 65_536
"""Of a head that is not whole yet, give or take what one read brings."""


class Patient(HttpToolsProtocol):
    """uvicorn's protocol with an end to waiting. Subclasses, in tests, have less patience."""

    head_s = HEAD_S
    stall_s = STALL_S
    most_connections = staticmethod(most_connections)
    _timer: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0
    _heard_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(self.head_s, self._give_up_head)
        if len(self.connections) > self.most_connections():
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        super().data_received(data)
        self._head_bytes += len(data) if self._in_head else 0
        if self._head_bytes > MOST_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if not self._in_head:
            self._in_head = True
            self._wait(self.head_s, self._give_up_head)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head, self._head_bytes = False, 0
        self._wait(self.stall_s, self._look_at_body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._stop_waiting()

    def handle_websocket_upgrade(self) -> None:
        self._stop_waiting()
        super().handle_websocket_upgrade()

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, then)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up_head(self) -> None:
        if self._head_bytes:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()  # it asked for nothing: there is nothing to answer

    def _look_at_body(self) -> None:
        """While we read nothing ourselves, the silence is ours."""
        silent_s = 0.0 if self.flow.read_paused else self.loop.time() - self._heard_at
        if silent_s < self.stall_s:
            self._wait(self.stall_s - silent_s, self._look_at_body)
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _refuse(self, status: HTTPStatus) -> None:
        """End the connection, with an answer where none has begun."""
        self._stop_waiting()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            words = f"{status.description or status.phrase}.\n".encode()
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\nconnection: close\r\ncontent-type: text/plain\r\n"
            self.transport.write(f"{head}content-length: {len(words)}\r\n\r\n".encode() + words)
        self.transport.close()
