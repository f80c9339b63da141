"""Anthropic's answers, as its documentation of streaming and errors writes them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from safelight.domain.outcomes import Done, ErrorClass, Rejected
from safelight.providers.anthropic.asking import message_body
from safelight.providers.anthropic.reading import MessageTranscript, read_refusal
from safelight.providers.protocol import Generation, Input
from safelight.providers.refusals import refused
from tests.unit.providers.transcripts import fed

KEY = "sk-ant-1234"
documented_start = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "claude-sonnet-4-6",
        "stop_reason": None,
        "usage": {
            "input_tokens": 25,
            "cache_read_input_tokens": 5,
            "cache_creation_input_tokens": 0,
            "output_tokens": 1,
        },
    },
}


def words(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": text}}


def over(reason: str) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_stop", "index": 1},
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": 15},
        },
        {"type": "message_stop"},
    ]


documented_thinking = {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}}
documented_stream = [
    documented_start,
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    documented_thinking,
    {"type": "ping"},
    {"type": "an_event_of_tomorrow", "delta": {"text": "no"}},
    words("Hello"),
    words("!"),
]


def test_a_stream_becomes_its_text_without_its_thoughts() -> None:
    state = fed(MessageTranscript(KEY, "req_1"), [*documented_stream, *over("end_turn")])
    usage = {"input_tokens": 30, "output_tokens": 15, "finish_reason": "end_turn"}
    assert state == Done(text="Hello!", usage=usage, request_id="req_1")


@pytest.mark.parametrize("reason", ["max_tokens", "refusal", "pause_turn"])
def test_an_end_that_is_no_text_tells_what_it_has_used(reason: str) -> None:
    state = fed(MessageTranscript(KEY, None), [documented_start, *over(reason)])
    assert isinstance(state, Rejected)
    assert set(state.usage) == {"input_tokens", "output_tokens"}


@pytest.mark.parametrize("reason", ["max_tokens", "model_context_window_exceeded", "stop_sequence"])
def test_a_text_that_was_cut_where_it_was_asked_for_is_delivered(reason: str) -> None:
    state = fed(MessageTranscript(KEY, None), [*documented_stream, *over(reason)])
    assert isinstance(state, Done)
    assert (state.usage["finish_reason"], state.cut_short) == (reason, reason != "stop_sequence")


@pytest.mark.parametrize("events", [[], documented_stream, [*documented_stream, {"type": "message_stop"}]])
def test_a_stream_without_its_end_comes_to_nothing(events: list[Any]) -> None:
    assert fed(MessageTranscript(KEY, None), events) is None


def test_a_stream_that_is_cut_after_its_reason_is_whole() -> None:
    assert isinstance(fed(MessageTranscript(KEY, None), [*documented_stream, *over("end_turn")[:2]]), Done)


@pytest.mark.parametrize(
    ("events", "error_class", "code", "said"),
    [
        ([*documented_stream, *over("refusal")], ErrorClass.CONTENT_REJECTED, "refusal", "declined"),
        ([*documented_stream, *over("pause_turn")], ErrorClass.PROTOCOL, "unknown_reason", "pause_turn"),
        ([documented_start, *over("max_tokens")], ErrorClass.INVALID_REQUEST, "max_tokens", "max_tokens"),
        (
            [*documented_stream, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}],
            ErrorClass.UNAVAILABLE,
            "overloaded_error",
            "Overloaded",
        ),
        (
            [
                {
                    "type": "error",
                    "error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"},
                }
            ],
            ErrorClass.CONTENT_REJECTED,
            "invalid_request_error",
            "content filtering",
        ),
    ],
)
def test_an_end_that_is_no_text_has_its_class(events: list[Any], error_class: ErrorClass, code: str, said: str) -> None:
    state = fed(MessageTranscript(KEY, "req_2"), events)
    assert isinstance(state, Rejected)
    assert (state.error.error_class, state.error.provider_code, state.error.request_id) == (error_class, code, "req_2")
    assert said in state.error.message


@pytest.mark.parametrize(
    ("status", "kind", "message", "error_class"),
    [
        (400, "invalid_request_error", "messages: field required", ErrorClass.INVALID_REQUEST),
        (
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API.",
            ErrorClass.OUT_OF_CREDIT,
        ),
        (402, "billing_error", "There is an issue with your billing", ErrorClass.OUT_OF_CREDIT),
        (401, "authentication_error", f"invalid x-api-key {KEY}", ErrorClass.UNAUTHORIZED),
        (403, "permission_error", "Your API key does not have permission", ErrorClass.UNAUTHORIZED),
        (404, "not_found_error", "model: claude-sonnet-4-20250514", ErrorClass.MODEL_RETIRED),
        (413, "request_too_large", "Request exceeds the maximum allowed number of bytes.", ErrorClass.INVALID_REQUEST),
        (429, "rate_limit_error", "Number of request tokens has exceeded", ErrorClass.RATE_LIMITED),
        (529, "overloaded_error", "Overloaded", ErrorClass.UNAVAILABLE),
    ],
)
def test_an_error_has_its_class_and_its_own_words(
    status: int, kind: str, message: str, error_class: ErrorClass
) -> None:
    documented_error = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_body"}
    answer = httpx.Response(status, json=documented_error, headers={"request-id": "req_3", "retry-after": "12"})
    found = refused(answer, read_refusal(answer), KEY).error
    assert (found.error_class, found.provider_code, found.retry_after_s) == (error_class, kind, 12.0)
    assert (found.message, found.request_id) == (message.replace(KEY, "***"), "req_3")


def test_an_internal_error_proves_nothing() -> None:
    body = {"type": "error", "error": {"type": "api_error", "message": "Internal server error"}}
    answer = httpx.Response(500, json=body, request=httpx.Request("POST", "http://x"))
    with pytest.raises(httpx.HTTPStatusError):
        refused(answer, read_refusal(answer), KEY)


def test_a_text_is_asked_for_with_its_pictures() -> None:
    seen = Generation(
        "text", "claude-sonnet-4-6", "What is it?", {"max_tokens": 9}, (Input("image", b"x", "image/png", 1, 1),)
    )
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "eA=="}}
    content = [picture, {"type": "text", "text": "What is it?"}]
    assert message_body(seen) == {
        "model": "claude-sonnet-4-6",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": content}],
        "stream": True,
    }
