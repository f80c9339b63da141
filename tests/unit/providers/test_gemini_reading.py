"""Gemini's answers, as its API reference and Google's error model write them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from safelight.domain.outcomes import Done, ErrorClass, Rejected
from safelight.providers.gemini.asking import content_body
from safelight.providers.gemini.reading import ContentTranscript, read_refusal, wrong_with
from safelight.providers.protocol import Generation, Input
from safelight.providers.refusals import refused
from tests.unit.providers.transcripts import fed

KEY = "AIza-1234"


def chunk(text: str | None, reason: str | None = None, **more: Any) -> dict[str, Any]:
    parts = [] if text is None else [{"text": text}]
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    usage = {"promptTokenCount": 8, "candidatesTokenCount": 3, "totalTokenCount": 16, "thoughtsTokenCount": 5}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m", "responseId": "r-1", **more}


documented_thought = {"candidates": [{"content": {"parts": [{"text": "Hm", "thought": True}], "role": "model"}}]}
documented_stream = [documented_thought, chunk("Hello"), chunk(" there", "STOP")]
documented_block = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "responseId": "r-1"}


def test_a_stream_becomes_its_text_and_thoughts_count_as_written() -> None:
    usage = {"input_tokens": 8, "output_tokens": 8, "finish_reason": "STOP"}
    state = fed(ContentTranscript(KEY, None), documented_stream)
    assert state == Done(text="Hello there", usage=usage, request_id="r-1")


@pytest.mark.parametrize("reason", ["MAX_TOKENS", "SAFETY", "LANGUAGE"])
def test_an_end_that_is_no_text_tells_what_it_has_used(reason: str) -> None:
    used = {"promptTokenCount": 9, "thoughtsTokenCount": 400}
    state = fed(ContentTranscript(KEY, None), [{**chunk(None, reason), "usageMetadata": used}])
    assert isinstance(state, Rejected)
    assert state.usage == {"input_tokens": 9, "output_tokens": 400}


def test_a_text_cut_at_the_limit_that_was_asked_for_is_delivered() -> None:
    state = fed(ContentTranscript(KEY, None), [chunk("Hel", "MAX_TOKENS")])
    assert isinstance(state, Done)
    assert (state.usage["finish_reason"], state.cut_short) == ("MAX_TOKENS", True)


@pytest.mark.parametrize("events", [[], documented_stream[:2]])
def test_a_stream_without_its_end_comes_to_nothing(events: list[Any]) -> None:
    assert fed(ContentTranscript(KEY, None), events) is None


@pytest.mark.parametrize(
    ("events", "error_class", "code", "said"),
    [
        ([documented_block], ErrorClass.CONTENT_REJECTED, "PROHIBITED_CONTENT", "the prompt"),
        ([chunk("He"), chunk(None, "SAFETY")], ErrorClass.CONTENT_REJECTED, "SAFETY", "SAFETY"),
        ([chunk("He"), chunk(None, "RECITATION")], ErrorClass.CONTENT_REJECTED, "RECITATION", "stopped the text"),
        ([chunk(None, "MAX_TOKENS")], ErrorClass.INVALID_REQUEST, "MAX_TOKENS", "max_tokens"),
        ([chunk("x", "LANGUAGE")], ErrorClass.INVALID_REQUEST, "LANGUAGE", "language"),
        ([chunk("x", "BOREDOM")], ErrorClass.PROTOCOL, "unknown_reason", "BOREDOM"),
        (
            [chunk("x"), {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}],
            ErrorClass.UNAVAILABLE,
            "UNAVAILABLE",
            "overloaded",
        ),
    ],
)
def test_an_end_that_is_no_text_has_its_class(events: list[Any], error_class: ErrorClass, code: str, said: str) -> None:
    state = fed(ContentTranscript(KEY, "req"), events)
    assert isinstance(state, Rejected)
    assert (state.error.error_class, state.error.provider_code) == (error_class, code)
    assert said in state.error.message


BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "27.5s"}


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize(
    ("status", "name", "message", "details", "error_class", "code"),
    [
        (400, "INVALID_ARGUMENT", f"API key not valid: {KEY}", [BAD_KEY], ErrorClass.UNAUTHORIZED, "API_KEY_INVALID"),
        (400, "INVALID_ARGUMENT", "maxOutputTokens is too large", [], ErrorClass.INVALID_REQUEST, "INVALID_ARGUMENT"),
        (
            400,
            "FAILED_PRECONDITION",
            "Free tier is not available; enable billing.",
            [],
            ErrorClass.OUT_OF_CREDIT,
            "FAILED_PRECONDITION",
        ),
        (
            403,
            "PERMISSION_DENIED",
            "Your API key was reported as leaked.",
            [],
            ErrorClass.UNAUTHORIZED,
            "PERMISSION_DENIED",
        ),
        (
            404,
            "NOT_FOUND",
            "models/gemini-1.0-pro is not found for API version v1beta",
            [],
            ErrorClass.MODEL_RETIRED,
            "NOT_FOUND",
        ),
        (
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota",
            [RETRY],
            ErrorClass.RATE_LIMITED,
            "RESOURCE_EXHAUSTED",
        ),
        (
            429,
            "RESOURCE_EXHAUSTED",
            "Your prepayment credits are depleted.",
            [],
            ErrorClass.OUT_OF_CREDIT,
            "RESOURCE_EXHAUSTED",
        ),
        (503, "UNAVAILABLE", "The model is overloaded.", [], ErrorClass.UNAVAILABLE, "UNAVAILABLE"),
    ],
)
def test_an_error_has_its_class_and_its_own_words(
    status: int, name: str, message: str, details: list[Any], error_class: ErrorClass, code: str, *, listed: bool
) -> None:
    documented_error = {"error": {"code": status, "message": message, "status": name, "details": details}}
    answer = httpx.Response(status, json=[documented_error] if listed else documented_error)
    found = refused(answer, read_refusal(answer), KEY).error
    assert (found.error_class, found.provider_code) == (error_class, code)
    assert found.message == message.replace(KEY, "***")
    assert found.retry_after_s == (27.5 if RETRY in details else None)
    assert wrong_with(answer) is (ErrorClass.UNAUTHORIZED if error_class is ErrorClass.UNAUTHORIZED else None)


@pytest.mark.parametrize(("status", "name"), [(500, "INTERNAL"), (504, "DEADLINE_EXCEEDED")])
def test_a_server_error_proves_nothing(status: int, name: str) -> None:
    body = {"error": {"code": status, "message": "An internal error has occurred", "status": name}}
    answer = httpx.Response(status, json=body, request=httpx.Request("POST", "http://x"))
    with pytest.raises(httpx.HTTPStatusError):
        refused(answer, read_refusal(answer), KEY)


def test_a_text_is_asked_for_with_its_pictures() -> None:
    params = {"max_tokens": 9, "temperature": 0, "seed": 7}
    seen = Generation(
        "text", "gemini-3.1-flash-lite", "What is it?", params, (Input("image", b"x", "image/png", 1, 1),)
    )
    parts = [{"inline_data": {"mime_type": "image/png", "data": "eA=="}}, {"text": "What is it?"}]
    assert content_body(seen) == {
        "contents": [{"role": "user", "parts": parts}],
        "generationConfig": {"maxOutputTokens": 9, "temperature": 0, "seed": 7},
    }
