"""A parser for server-sent events, after the HTML standard's "event stream interpretation". No I/O."""

from __future__ import annotations

import codecs
from typing import NamedTuple


class Message(NamedTuple):
    """One dispatched event. `last_id` is the newest id seen on the stream, not only this event's own."""

    event: str
    data: str
    last_id: str | None


class SseParser:
    """Takes chunks cut anywhere, also inside a character or between CR and LF. Keeps back what has not ended yet."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line: list[str] = []
        self._at_start = True
        self._after_cr = False
        self._event = ""
        self._data: list[str] = []
        self._last_id: str | None = None

    def feed(self, chunk: bytes) -> list[Message]:
        """The events that this chunk completes, in order."""
        messages = []
        for line in self._lines(self._decoder.decode(chunk)):
            if line:
                self._take_field(line)
            elif (message := self._dispatch()) is not None:
                messages.append(message)
        return messages

    def _lines(self, text: str) -> list[str]:
        """Complete lines, ended by LF, CR or CRLF and nothing else (`str.splitlines` would also cut at U+2028)."""
        if self._at_start and text:
            self._at_start = False
            text = text.removeprefix("\ufeff")
        if self._after_cr and text:
            self._after_cr = False
            text = text.removeprefix("\n")
        self._after_cr = self._after_cr or text.endswith("\r")
        *complete, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if complete:
            complete[0] = "".join(self._line) + complete[0]
            self._line = []
        if rest:
            self._line.append(rest)
        return complete

    def _take_field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                self._event = value
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self._last_id = value
            case _:  # a comment (empty name), or a field that the standard tells us to ignore; we time reconnects
                pass

    def _dispatch(self) -> Message | None:
        event, data = self._event or "message", self._data
        self._event, self._data = "", []
        return Message(event, "\n".join(data), self._last_id) if data else None
