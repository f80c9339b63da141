"""How many connections there may be, of one address too, and how long one may keep us waiting: for a whole head, for
more of a body, for room to send more.

uvicorn ends connections that are idle after an answer, and no others: whoever opens one and says nothing, half of it,
or does not read what it asked for, would hold a place for ever. Who reads, however slowly, is never cut here.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from fcntl import ioctl
from http import HTTPStatus
from termios import TIOCOUTQ
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from safelight.api.proxies import Network, is_among
from safelight.worker.machine import most_connections

HEAD_S: Final = 20.0
"""From the connection, or from the first byte of a later request, to the end of its head."""
STALL_S: Final = 60.0
"""Without a byte of a body that we are ready to read; a slow line may take as long as it likes."""
TAKE_S: Final = 60.0
"""Without a byte taken of what waits to be sent."""
MOST_HEAD_BYTES: Final = 65_536
"""Of a head that is not whole yet, or of what follows a body, give or take what one read brings."""
MOST_HEADERS: Final = 200
MOST_AHEAD: Final = 100
"""Requests sent before the answer to an earlier one: each is kept, and uvicorn reads on after every answer."""
ONE_ADDRESS: Final = 0.5
"""Its share of the connections there may be. Proxies that are trusted may have them all: they speak for many."""


class _Refused(Exception):
    """Ends the parser; the connection is being closed."""


class Patient(HttpToolsProtocol):
    """uvicorn's protocol with an end to waiting. Subclasses, in tests, have less patience."""

    head_s = HEAD_S
    stall_s = STALL_S
    take_s = TAKE_S
    trusted: Sequence[Network] = ()
    most_connections = staticmethod(most_connections)
    _timer: asyncio.TimerHandle | None = None
    _in_head = True
    _loose_bytes = 0
    """Come since a head was whole, or since the last of a body."""
    _heard_at = 0.0
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(self.head_s, self._give_up_head)
        if len(self.connections) > self.most_connections():
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        elif self._is_greedy():
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_looking()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        self._loose_bytes += len(data)
        super().data_received(data)
        if self._loose_bytes > MOST_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._waits_for_nothing():
            self._wait(self.head_s, self._give_up_head)  # an empty line begins no request, yet ends uvicorn's waiting

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if not self._in_head:
            self._in_head = True
            self._wait(self.head_s, self._give_up_head)

    def on_header(self, name: bytes, value: bytes) -> None:
        """What comes after a body is no header: a proxy has not looked at it, and it would never end."""
        if self._in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._loose_bytes = 0

    def on_headers_complete(self) -> None:
        if len(self.headers) > MOST_HEADERS:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            raise _Refused
        if len(self.pipeline) >= MOST_AHEAD:
            self.transport.close()  # without a word: the next answer is not ours to give
            raise _Refused
        super().on_headers_complete()
        self._in_head, self._loose_bytes = False, 0
        self._wait(self.stall_s, self._look_at_body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._stop_waiting()

    def handle_websocket_upgrade(self) -> None:
        self._stop_waiting()
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """What was refused already is not refused again."""
        if not self.transport.is_closing():
            super().send_400_response(msg)
            self._look_at_taking()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look_at_taking()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_looking()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._look_at_taking()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._look_at_taking()

    def _is_greedy(self) -> bool:
        """Counted only when so many are there that one address could have more than its share."""
        share = int(self.most_connections() * ONE_ADDRESS)
        address = _address(self)
        if len(self.connections) <= share or address is None or is_among(address, self.trusted):
            return False
        return sum(_address(each) == address for each in self.connections) > share

    def _waits_for_nothing(self) -> bool:
        """Whether it has its answer, began no other request, is no socket, and nobody counts how long it stays."""
        answered = self in self.connections and self.cycle is not None and self.cycle.response_complete
        return answered and not self._in_head and self._timer is None and not self.transport.is_closing()

    def _look_at_taking(self, before: int | None = None) -> None:
        """While something waits to be sent: nobody adds to it meanwhile, so it only gets less."""
        waits = self.transport.get_write_buffer_size()
        left = waits + self._in_the_system()
        if waits and before is not None and left >= before:
            self.transport.abort()
        elif waits:
            self._stop_looking()
            self._taking = self.loop.call_later(self.take_s, self._look_at_taking, left)

    def _in_the_system(self) -> int:
        """Bytes that the system has of us and the other side has not taken; 0 where it does not say.

        It makes room only when it has got rid of a good part: of a slow reader our own buffer would tell nothing.
        """
        with suppress(OSError, ValueError):
            queued = ioctl(self.transport.get_extra_info("socket").fileno(), TIOCOUTQ, bytes(4))
            return int.from_bytes(queued, sys.byteorder)
        return 0

    def _stop_looking(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, then)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up_head(self) -> None:
        if self._in_head and self._loose_bytes:
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
        self._look_at_taking()


def _address(connection: object) -> str | None:
    """Of the other side; None where it has none, as on a Unix socket."""
    client = getattr(connection, "client", None)
    return client[0] if client else None


def patient(trusted: Sequence[Network]) -> type[Patient]:
    """The protocol of a server behind these proxies."""
    return type("Patient", (Patient,), {"trusted": tuple(trusted)})
