"""How a text is read while it comes: told piece by piece, stopped when it is not wanted, never without an end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from safelight.domain.outcomes import Done, RemoteState
from safelight.providers import streaming
from safelight.providers.openai.reading_text import ChatTranscript
from safelight.providers.protocol import Generation
from safelight.providers.streaming import STOPPED, BrokeOff, read_text
from safelight.testing.provider_conformance import Listener


def piece(text: str, reason: str | None = None) -> bytes:
    chunk = {"choices": [{"delta": {"content": text}, "finish_reason": reason}]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


class Cut(httpx.AsyncByteStream):
    """Pieces, and then the connection breaks, or ends."""

    def __init__(self, *pieces: bytes, breaks: bool = True) -> None:
        self._pieces, self._breaks = pieces, breaks
        self.brought = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for each in self._pieces:
            self.brought += 1
            yield each
        if self._breaks:
            raise httpx.RemoteProtocolError("peer closed connection")


def read(stream: Cut, listener: Listener) -> RemoteState:
    answer = httpx.Response(200, stream=stream)
    generation = Generation("text", "m", "p", {"max_tokens": 10})
    return asyncio.run(read_text(answer, ChatTranscript("k", None), generation, listener))


def test_every_piece_is_told_with_all_of_the_text_and_a_progress_that_never_reaches_the_end() -> None:
    listener = Listener()
    state = read(Cut(piece("Once "), piece("upon " * 20), piece("", "stop"), breaks=False), listener)
    assert isinstance(state, Done)
    assert listener.texts == ["Once ", "Once " + "upon " * 20]
    assert [progress for progress, _ in listener.heard] == [5 / 40, 0.95]


def test_a_text_that_is_not_wanted_is_read_no_further() -> None:
    stream = Cut(*[piece("x")] * 50)
    assert read(stream, Listener(stop_at=2)) is STOPPED
    assert stream.brought == 2


def test_a_cut_before_the_end_is_raised_and_one_after_it_does_not_matter() -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        read(Cut(piece("Once")), Listener())
    state = read(Cut(piece("Once"), piece("", "stop")), Listener())
    assert isinstance(state, Done)
    assert state.text == "Once"


def test_a_stream_that_simply_ends_without_its_last_word_is_no_text() -> None:
    with pytest.raises(BrokeOff, match="after 4 characters"):
        read(Cut(piece("Once"), breaks=False), Listener())


def test_a_stream_without_an_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LONGEST_TEXT", 10)
    stream = Cut(*[piece("four")] * 50)
    with pytest.raises(BrokeOff, match="no end"):
        read(stream, Listener())
    assert stream.brought == 3
