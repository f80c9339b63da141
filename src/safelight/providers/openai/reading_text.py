"""What chat completions say, whole or chunk by chunk. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safelight.domain.outcomes import ErrorClass, ProviderError, Rejected, RemoteState
from safelight.providers.keys import without_key
from safelight.providers.openai.refusing import read_error
from safelight.providers.sse import ServerSentEvent
from safelight.providers.streaming import ended, failed, json_object, part

LAST = "[DONE]"


class ChatTranscript:
    """The text of a stream of `chat.completion.chunk`s so far."""

    def __init__(self, key: str, request_id: str | None) -> None:
        self.text = ""
        self._key, self._request_id = key, request_id
        self._refusal = ""
        self._reason: str | None = None
        self._usage: Mapping[str, Any] = {}

    def take(self, event: ServerSentEvent) -> RemoteState | None:
        """The last event is `[DONE]`; the usage comes just before it, in a chunk without choices."""
        if event.data.strip() == LAST:
            return self.outcome()
        chunk = json_object(event.data)
        if chunk.get("error"):
            return failed(read_error(chunk), self._key, self._request_id)
        self._usage = part(chunk, "usage") or self._usage
        for choice in (chunk.get("choices") or [])[:1]:
            delta = part(choice, "delta")
            self.text += delta.get("content") or ""
            self._refusal += delta.get("refusal") or ""
            self._reason = choice.get("finish_reason") or self._reason
        return None

    def outcome(self) -> RemoteState | None:
        if self._reason is None:
            return None
        return _outcome(self.text, self._refusal, self._reason, self._usage, self._key, self._request_id)


def read_completion(body: Any, key: str, request_id: str | None) -> RemoteState:
    """A `chat.completion` that came at once. Raises ValueError for anything else."""
    if not isinstance(body, dict) or not body.get("choices"):
        raise ValueError("the answer of success is no chat completion")
    choice = body["choices"][0]
    message = part(choice, "message")
    text, refusal = str(message.get("content") or ""), str(message.get("refusal") or "")
    return _outcome(text, refusal, str(choice.get("finish_reason")), part(body, "usage"), key, request_id)


def _outcome(
    text: str, refusal: str, reason: str, usage: Mapping[str, Any], key: str, request_id: str | None
) -> RemoteState:
    tokens = {
        "input_tokens": usage.get("prompt_tokens"),
        "output_tokens": usage.get("completion_tokens"),
    }
    told = {name: count for name, count in tokens.items() if isinstance(count, int)}
    if refusal:
        words = without_key(refusal, key)
        return Rejected(ProviderError(ErrorClass.CONTENT_REJECTED, words, "refusal", request_id=request_id), told)
    match reason:
        case "stop":
            return ended(text, told, reason, request_id)
        case "length":
            return ended(text, told, reason, request_id, cut_short=True)
        case "content_filter":
            words = "OpenAI's content filter stopped the text."
            return Rejected(ProviderError(ErrorClass.CONTENT_REJECTED, words, reason, request_id=request_id), told)
        case other:
            words = f"OpenAI ended the text for a reason that Safelight does not know: {other!r}."
            return Rejected(ProviderError(ErrorClass.PROTOCOL, words, "unknown_reason", request_id=request_id), told)
