"""What Gemini's chunks and errors mean. Pure, so tests feed it bodies written from its documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from safelight.domain.outcomes import ErrorClass, ProviderError, Rejected, RemoteState
from safelight.providers.forbidding import forbidden
from safelight.providers.refusals import Refusal, refusal_in
from safelight.providers.sse import ServerSentEvent
from safelight.providers.streaming import ended, failed, json_object, part

OF_STATUS = {
    "INVALID_ARGUMENT": ErrorClass.INVALID_REQUEST,
    "FAILED_PRECONDITION": ErrorClass.INVALID_REQUEST,
    "UNAUTHENTICATED": ErrorClass.UNAUTHORIZED,
    "NOT_FOUND": ErrorClass.MODEL_RETIRED,
    "RESOURCE_EXHAUSTED": ErrorClass.RATE_LIMITED,
    "UNAVAILABLE": ErrorClass.UNAVAILABLE,
    "INTERNAL": ErrorClass.UNAVAILABLE,
    "DEADLINE_EXCEEDED": ErrorClass.TIMEOUT,
}
BAD_KEY_REASONS = frozenset(
    {
        "API_KEY_INVALID",
        "API_KEY_EXPIRED",
        "API_KEY_SERVICE_BLOCKED",
        "SERVICE_DISABLED",
        "CONSUMER_INVALID",
        "CONSUMER_SUSPENDED",
    }
)
"""In the details of what is otherwise an INVALID_ARGUMENT or a PERMISSION_DENIED: the key, or the project it is of."""
_NO_MONEY = re.compile(r"enable billing|billing account|prepa(?:y|id)\w* credits? (?:is|are) depleted", re.IGNORECASE)
_DELAY = re.compile(r"(\d+(?:\.\d+)?)s")

BLOCKS = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "JAILBREAK", "MODEL_ARMOR"}
)
"""Reasons to write nothing, or no more, that are Google's rules. They come for the prompt and for the text."""


class ContentTranscript:
    """The text of a stream of `GenerateContentResponse`s so far. What it thinks is not its text."""

    def __init__(self, key: str, request_id: str | None) -> None:
        self.text = ""
        self._key, self._request_id = key, request_id
        self._reason: str | None = None
        self._said = ""
        self._tokens: dict[str, int] = {}

    def take(self, event: ServerSentEvent) -> RemoteState | None:
        """No event is the last: the stream simply ends after one with a reason."""
        chunk = json_object(event.data)
        if "error" in chunk:
            return failed(read_error(chunk), self._key, self._request_id)
        self._request_id = chunk.get("responseId") or self._request_id
        self._count(part(chunk, "usageMetadata"))
        if blocked := part(chunk, "promptFeedback").get("blockReason"):
            return self._blocked(str(blocked), "Google's rules do not allow the prompt")
        for candidate in (chunk.get("candidates") or [])[:1]:
            self.text += "".join(_texts_in(candidate))
            self._reason = candidate.get("finishReason") or self._reason
            self._said = candidate.get("finishMessage") or self._said
        return None

    def outcome(self) -> RemoteState | None:
        match self._reason:
            case None:
                return None
            case "STOP" | "MAX_TOKENS" as reason:
                return ended(self.text, self._tokens, reason, self._request_id, cut_short=reason == "MAX_TOKENS")
            case reason if reason in BLOCKS:
                return self._blocked(reason, "Google's rules stopped the text")
            case "LANGUAGE":
                return self._rejected(
                    ErrorClass.INVALID_REQUEST, "Gemini does not know the language asked for.", "LANGUAGE"
                )
            case other:
                words = f"Gemini ended the text for a reason that Safelight does not know: {other!r}. {self._said}"
                return self._rejected(ErrorClass.PROTOCOL, words.strip(), "unknown_reason")

    def _blocked(self, reason: str, words: str) -> Rejected:
        said = f": {self._said}" if self._said else ""
        return self._rejected(ErrorClass.CONTENT_REJECTED, f"{words} ({reason}){said}.", reason)

    def _rejected(self, error_class: ErrorClass, words: str, code: str) -> Rejected:
        return Rejected(ProviderError(error_class, words, code, request_id=self._request_id), self._tokens)

    def _count(self, usage: Mapping[str, Any]) -> None:
        """Counts are cumulative; thoughts are paid as text."""
        if isinstance(read := usage.get("promptTokenCount"), int):
            self._tokens["input_tokens"] = read
        written = [usage.get(name) for name in ("candidatesTokenCount", "thoughtsTokenCount")]
        if any(isinstance(count, int) for count in written):
            self._tokens["output_tokens"] = sum(count for count in written if isinstance(count, int))


def read_refusal(answer: httpx.Response) -> Refusal:
    """`{"error": {"code", "message", "status", "details"}}`; in a list of one where a stream was asked for."""
    return refusal_in(answer, read_error)


def read_error(body: Mapping[str, Any]) -> Refusal:
    """The error in an answer or in a chunk of a stream."""
    error = part(body, "error")
    message, status = str(error.get("message") or ""), error.get("status")
    reason = next((str(detail["reason"]) for detail in _details(error) if detail.get("reason")), None)
    error_class = OF_STATUS.get(str(status))
    if reason in BAD_KEY_REASONS:
        error_class = ErrorClass.UNAUTHORIZED
    elif _NO_MONEY.search(message):
        error_class = ErrorClass.OUT_OF_CREDIT
    elif status == "PERMISSION_DENIED":  # also of one model that is closed to the key
        error_class = forbidden(message)
    return Refusal(message, reason or (None if status is None else str(status)), error_class, _delay_s(error))


def wrong_with(answer: httpx.Response) -> ErrorClass | None:
    """What is wrong with the key by the answer to a question: also a 400 may say so."""
    found = read_refusal(answer).error_class if answer.is_client_error else None
    return found if found is ErrorClass.UNAUTHORIZED else None


def _texts_in(candidate: Mapping[str, Any]) -> Iterator[str]:
    for each in part(candidate, "content").get("parts") or []:
        if isinstance(each, dict) and not each.get("thought"):
            yield str(each.get("text") or "")


def _details(error: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [detail for detail in error.get("details") or [] if isinstance(detail, dict)]


def _delay_s(error: Mapping[str, Any]) -> float | None:
    """`{"@type": "…RetryInfo", "retryDelay": "27s"}`: a 429 has no header for it."""
    found = next(
        (_DELAY.fullmatch(str(detail.get("retryDelay"))) for detail in _details(error) if "retryDelay" in detail), None
    )
    return float(found[1]) if found else None
