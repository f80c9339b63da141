"""Server-sent events out of bytes, however they were cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from safelight.providers import sse
from safelight.providers.sse import ServerSentEvent, events_in

STREAM = (
    ": keep-alive\r\n\r\n"
    'event: delta\r\ndata: {"text": "Ein 🦊\u2028schläft"}\r\n\r\n'
    "retry: 3000\nid: 7\n\n"
    "data: one\ndata: two\n\n"
    "event: unheard\n\n"
    "data:no space\r\rdata\n\n"
).encode()
EVENTS = [
    ServerSentEvent("delta", '{"text": "Ein 🦊\u2028schläft"}'),
    ServerSentEvent("", "one\ntwo"),
    ServerSentEvent("", "no space"),
    ServerSentEvent("", ""),
]


def read(*pieces: bytes) -> list[ServerSentEvent]:
    async def bring() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async def collect() -> list[ServerSentEvent]:
        return [event async for event in events_in(bring())]

    return asyncio.run(collect())


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_events_are_the_same_however_the_stream_is_cut(size: int) -> None:
    assert read(*(STREAM[at : at + size] for at in range(0, len(STREAM), size))) == EVENTS


def test_a_last_event_without_its_empty_line_counts() -> None:
    assert read(b"data: [DONE]") == [ServerSentEvent("", "[DONE]")]
    assert read(b"data: [DONE]\r") == [ServerSentEvent("", "[DONE]")]


def test_what_is_no_stream_has_no_events() -> None:
    assert read(b"<html><body>\n\nIt works!</body></html>") == []


def test_bytes_that_are_no_text_are_an_error() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        read(b"data: \xff\n\n")


@pytest.mark.parametrize("piece", [b"data: 0123456789", b"data: 0123456789\n"])
def test_an_event_that_never_ends_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch, piece: bytes) -> None:
    monkeypatch.setattr(sse, "LONGEST_EVENT_BYTES", 100)
    with pytest.raises(ValueError, match="longer than 100 bytes"):
        read(*[piece] * 20)
