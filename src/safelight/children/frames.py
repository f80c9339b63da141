"""Messages between a provider and its child: a JSON head and a body of bytes, each preceded by its length."""

from __future__ import annotations

import asyncio
import json
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

_LENGTHS = struct.Struct(">II")


@dataclass(frozen=True, slots=True)
class Frame:
    """One message. `head["number"]` tells which order it belongs to."""

    head: dict[str, Any]
    body: bytes = b""

    def packed(self) -> bytes:
        head = json.dumps(self.head).encode()
        return _LENGTHS.pack(len(head), len(self.body)) + head + self.body


async def receive(stream: asyncio.StreamReader) -> Frame:
    """The next frame. Raises IncompleteReadError when the other side is gone."""
    head_size, body_size = _LENGTHS.unpack(await stream.readexactly(_LENGTHS.size))
    head = json.loads(await stream.readexactly(head_size))
    return Frame(head, await stream.readexactly(body_size))


def read(stream: BinaryIO) -> Frame | None:
    """The next frame, for plain threads; None when the other side is gone."""
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head_size, body_size = _LENGTHS.unpack(lengths)
    return Frame(json.loads(stream.read(head_size)), stream.read(body_size))
