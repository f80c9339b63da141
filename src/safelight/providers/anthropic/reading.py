"""What Anthropic's events and errors mean. Pure, so tests feed it bodies written from its documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from safelight.domain.outcomes import ErrorClass, ProviderError, Rejected, RemoteState
from safelight.providers.forbidding import forbidden
from safelight.providers.refusals import Refusal, refusal_in
from safelight.providers.sse import ServerSentEvent
from safelight.providers.streaming import ended, failed, json_object, part

OF_TYPE = {
    "invalid_request_error": ErrorClass.INVALID_REQUEST,
    "request_too_large": ErrorClass.INVALID_REQUEST,
    "authentication_error": ErrorClass.UNAUTHORIZED,
    "billing_error": ErrorClass.OUT_OF_CREDIT,
    "not_found_error": ErrorClass.MODEL_RETIRED,
    "rate_limit_error": ErrorClass.RATE_LIMITED,
    "overloaded_error": ErrorClass.UNAVAILABLE,
    "timeout_error": ErrorClass.TIMEOUT,
    "api_error": ErrorClass.UNAVAILABLE,
}
NO_MONEY = "credit balance is too low"
"""Comes as an `invalid_request_error`."""
BLOCKED = "blocked by content filtering policy"
"""So does this, also in the middle of a text."""
WHOLE = frozenset({"end_turn", "stop_sequence"})
CUT_SHORT = frozenset({"max_tokens", "model_context_window_exceeded"})


class MessageTranscript:
    """The text of a streamed message so far. What it thinks is not its text."""

    def __init__(self, key: str, request_id: str | None) -> None:
        self.text = ""
        self._key, self._request_id = key, request_id
        self._reason: str | None = None
        self._tokens: dict[str, int] = {}

    def take(self, event: ServerSentEvent) -> RemoteState | None:
        """Unknown events are left alone, as the documentation asks."""
        body = json_object(event.data)
        match body.get("type"):
            case "message_start":
                self._count(part(part(body, "message"), "usage"))
            case "content_block_delta":
                self.text += _text_in(part(body, "delta"))
            case "message_delta":
                self._reason = part(body, "delta").get("stop_reason") or self._reason
                self._count(part(body, "usage"))
            case "message_stop":
                return self.outcome()
            case "error":
                return failed(read_error(body), self._key, self._request_id)
        return None

    def outcome(self) -> RemoteState | None:
        match self._reason:
            case None:
                return None
            case reason if reason in WHOLE or reason in CUT_SHORT:
                return ended(self.text, self._tokens, reason, self._request_id, cut_short=reason in CUT_SHORT)
            case "refusal":
                words = "Claude declined to write this."
                error_class, code = ErrorClass.CONTENT_REJECTED, "refusal"
            case other:
                words = f"Anthropic ended the text for a reason that Safelight does not know: {other!r}."
                error_class, code = ErrorClass.PROTOCOL, "unknown_reason"
        return Rejected(ProviderError(error_class, words, code, request_id=self._request_id), self._tokens)

    def _count(self, usage: Mapping[str, Any]) -> None:
        """Counts are cumulative; what was read from a cache was read too."""
        read = [usage.get(name) for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")]
        if isinstance(read[0], int):
            self._tokens["input_tokens"] = sum(count for count in read if isinstance(count, int))
        if isinstance(written := usage.get("output_tokens"), int):
            self._tokens["output_tokens"] = written


def read_refusal(answer: httpx.Response) -> Refusal:
    """`{"type": "error", "error": {"type", "message"}, "request_id"}`."""
    return refusal_in(answer, read_error)


def read_error(body: Mapping[str, Any]) -> Refusal:
    """The error in an answer or in an event of a stream."""
    error = part(body, "error")
    message, kind = str(error.get("message") or ""), error.get("type")
    if NO_MONEY in message:
        return Refusal(message, str(kind), ErrorClass.OUT_OF_CREDIT)
    if BLOCKED in message:
        return Refusal(message, str(kind), ErrorClass.CONTENT_REJECTED)
    if kind == "permission_error":  # also of one model that is closed to the key
        return Refusal(message, str(kind), forbidden(message))
    return Refusal(message, None if kind is None else str(kind), OF_TYPE.get(str(kind)))


def _text_in(delta: Mapping[str, Any]) -> str:
    return str(delta.get("text") or "") if delta.get("type") == "text_delta" else ""
