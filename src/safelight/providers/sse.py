"""Server-sent events as providers stream them: bytes in, events out, whatever the pieces they come in.

Split at bytes, not at characters: a letter may be cut in two, and `str.splitlines` would break lines at characters that
may stand in a model's text.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import NamedTuple

_END_OF_LINE = re.compile(rb"\r\n|\n|\r(?!$)")
"""A carriage return at the very end may be half of a line's end."""
LONGEST_EVENT_BYTES = 8 * 1024 * 1024


class ServerSentEvent(NamedTuple):
    """`name` is empty where the stream names none."""

    name: str
    data: str


class EventReader:
    """Feed it pieces; it gives the events that are whole. Comments and unknown fields are left out."""

    def __init__(self) -> None:
        self._rest = b""
        self._name, self._data = "", list[bytes]()

    def feed(self, piece: bytes) -> Iterator[ServerSentEvent]:
        """Raises ValueError for what is no UTF-8 or never ends."""
        *lines, self._rest = _END_OF_LINE.split(self._rest + piece)
        if len(self._rest) + sum(map(len, self._data)) > LONGEST_EVENT_BYTES:
            raise ValueError(f"an event of the stream is longer than {LONGEST_EVENT_BYTES} bytes")
        for line in lines:
            if not line:
                yield from self._whole()
            else:
                self._take(line)

    def end(self) -> Iterator[ServerSentEvent]:
        """The event that the end of the stream completes: some servers leave out the last empty line."""
        if self._rest:
            self._take(self._rest.rstrip(b"\r"))
            self._rest = b""
        yield from self._whole()

    def _take(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._name = value.decode()

    def _whole(self) -> Iterator[ServerSentEvent]:
        if self._data:
            yield ServerSentEvent(self._name, b"\n".join(self._data).decode())
        self._name, self._data = "", []


async def events_in(pieces: AsyncIterator[bytes]) -> AsyncGenerator[ServerSentEvent]:
    """Every event of a stream. An event that a cut left short is not given: the stream's own error is raised."""
    reader = EventReader()
    async for piece in pieces:
        for event in reader.feed(piece):
            yield event
    for event in reader.end():
        yield event
