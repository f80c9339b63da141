"""Sockets as uvicorn has them, but for what clients do wrong: that is no fault of the program, and costs it nothing."""

from __future__ import annotations

from typing import Final

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

MOST_PARTS: Final = 1_000
"""Of one message. A part costs us more than its sender: a megabyte in single bytes held a socket for a minute."""


class Sockets(WebSocketsSansIOProtocol):
    """uvicorn's protocol, in which what clients send can neither fill the memory nor put stack traces into the log."""

    async def send(self, message: ASGISendEvent) -> None:
        """A whole refusal ends the handshake too (uvicorn 0.54 says that it is missing)."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True

    def handle_ping(self) -> None:
        """Who takes nothing is not answered: pongs without end would be kept for it. It is let go as a silent one."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_cont(self, event: Frame) -> None:
        """Parts of a message that bring nothing are not kept: the limit of its size does not count them."""
        if len(self.frames) >= MOST_PARTS:
            self.frames = []
            self.conn.send_close(CloseCode.MESSAGE_TOO_BIG)
            self.handle_parser_exception()
        elif event.data or event.fin:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """A text that is none ends the socket with its code, and without a stack trace."""
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_text(b"".join(self.frames)):
            self.frames = []
            self.conn.send_close(CloseCode.INVALID_DATA)
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
