"""Read a text while a provider writes it: tell of every piece, and end by what the provider says, or by its silence.

What a provider's events mean is its own reader's; here is only the order of things.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any, Protocol

import httpx

from safelight.domain.outcomes import Done, ErrorClass, ProviderError, Rejected, RemoteState
from safelight.domain.text import LONGEST_TEXT
from safelight.providers.answers import believed_s
from safelight.providers.keys import without_key
from safelight.providers.protocol import Generation, Report
from safelight.providers.refusals import Refusal, refused, request_id_of
from safelight.providers.sse import ServerSentEvent, events_in
from safelight.providers.transport import stream_once
from safelight.providers.whole import whole

CHARS_PER_TOKEN = 4
"""About; for a progress that nobody can know exactly."""
USUAL_TOKENS = 2048
TEXT_WITHIN_S = 600.0
MOST_PROGRESS = 0.95
STOPPED = Rejected(ProviderError(ErrorClass.UNAVAILABLE, "It was stopped while it was being written.", "stopped"))


class Transcript(Protocol):
    """What one provider has written so far."""

    text: str

    def take(self, event: ServerSentEvent) -> RemoteState | None:
        """Read one event; the outcome if it is the last. Raises ValueError for what is none of this provider's."""
        ...

    def outcome(self) -> RemoteState | None:
        """What it comes to if nothing more follows; None where that would be a text without its end."""
        ...


class BrokeOff(Exception):
    """The stream ended before its text did."""


async def written(
    url: str,
    generation: Generation,
    report: Report,
    *,
    headers: Mapping[str, str],
    body: Any,
    key: str,
    idle_s: float,
    read_refusal: Callable[[httpx.Response], Refusal],
    transcript: Callable[[str, str | None], Transcript],
    in_one_piece: Callable[[httpx.Response], RemoteState] | None = None,
) -> RemoteState:
    """The paid request for a text, and its outcome. Raises as `stream_once` and `read_text` do: then nobody knows.

    `transcript` is made of the key and the request's id. `in_one_piece` reads an answer that is no stream.
    """
    async with stream_once(
        url, may_send=report.may_send, idle_s=idle_s, timeout_s=TEXT_WITHIN_S, headers=headers, json=body
    ) as answer:
        if not answer.is_success:
            refusal = await whole(answer)
            return refused(refusal, read_refusal(refusal), key)
        if in_one_piece and answer.headers.get("content-type", "").startswith("application/json"):
            return in_one_piece(await whole(answer))
        return await read_text(answer, transcript(key, request_id_of(answer.headers)), generation, report)


async def read_text(
    answer: httpx.Response, transcript: Transcript, generation: Generation, report: Report
) -> RemoteState:
    """The outcome of a stream. Raises what broke it, if that was not after its text was whole: then nobody knows."""
    try:
        async with aclosing(events_in(answer.aiter_bytes())) as events:
            async for event in events:
                told = len(transcript.text)
                if (state := transcript.take(event)) is not None:
                    return state
                text = transcript.text
                if len(text) > LONGEST_TEXT:
                    raise BrokeOff(f"more than {LONGEST_TEXT} characters came, and no end")
                if len(text) > told and not await report(_progress(text, generation), text=text):
                    return STOPPED
    except httpx.HTTPError:
        if (state := transcript.outcome()) is None:
            raise
        return state
    if (state := transcript.outcome()) is None:
        raise BrokeOff(f"the stream ended after {len(transcript.text)} characters without a word of its end")
    return state


def ended(
    text: str, tokens: Mapping[str, int], reason: str, request_id: str | None, *, cut_short: bool = False
) -> RemoteState:
    """A text that is over. One that was cut at the limit its user set is delivered, if anything was written."""
    if text:
        usage = {**tokens, "finish_reason": reason}
        return Done(usage=usage, text=text, request_id=request_id, cut_short=cut_short)
    if cut_short:
        words = "All of `max_tokens` was used before anything was written: the model thinks first. Allow it more."
        return Rejected(ProviderError(ErrorClass.INVALID_REQUEST, words, reason, request_id=request_id), tokens)
    words = "The model ended without a word."
    return Rejected(ProviderError(ErrorClass.INVALID_REQUEST, words, reason, request_id=request_id), tokens)


def failed(said: Refusal, key: str, request_id: str | None) -> Rejected:
    """An error that came in the middle of a stream: the call is over, by the provider's own word."""
    words = without_key(said.message, key) or "The provider broke the text off without saying why."
    error_class = said.error_class or ErrorClass.UNAVAILABLE
    wait_s = believed_s(said.retry_after_s)
    return Rejected(ProviderError(error_class, words, said.code or "stream_error", wait_s, request_id))


def json_object(data: str) -> dict[str, Any]:
    """The object in an event. Raises ValueError if it is none."""
    body = json.loads(data)
    if not isinstance(body, dict):
        raise ValueError(f"an event of the stream is no object but {type(body).__name__}")
    return body


def part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under that name; an empty one where there is none."""
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def _progress(text: str, generation: Generation) -> float:
    most = int(generation.params.get("max_tokens") or USUAL_TOKENS) * CHARS_PER_TOKEN
    return min(MOST_PROGRESS, len(text) / most)
