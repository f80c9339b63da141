"""OpenAI's answers, as its API reference and the types of its client write them."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from safelight.domain.outcomes import Done, ErrorClass, Output, Rejected, RemoteFile
from safelight.providers.openai.asking_pictures import edit_form, picture_body
from safelight.providers.openai.asking_text import most_tokens_name, text_body
from safelight.providers.openai.provider import OpenAIProvider
from safelight.providers.openai.reading_pictures import read_pictures
from safelight.providers.openai.reading_text import ChatTranscript, read_completion
from safelight.providers.openai.refusing import read_refusal
from safelight.providers.protocol import Generation, Input
from safelight.providers.refusals import refused
from safelight.testing.pictures import tiny_png
from tests.unit.providers.transcripts import fed

KEY = "sk-test-1234"
documented_pictures = {
    "created": 1713833628,
    "background": "opaque",
    "output_format": "png",
    "quality": "low",
    "size": "1024x1024",
    "data": [{"b64_json": base64.b64encode(tiny_png(shade)).decode()} for shade in (1, 2)],
    "usage": {
        "total_tokens": 100,
        "input_tokens": 50,
        "output_tokens": 50,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
    },
}
documented_addresses = {"created": 1713833628, "data": [{"url": "https://files.example/1.png", "revised_prompt": "x"}]}


def error(code: str | None, message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


documented_errors = [
    (401, error("invalid_api_key", f"Incorrect API key provided: {KEY}."), ErrorClass.UNAUTHORIZED),
    (403, error("unsupported_country_region_territory", "Country not supported"), ErrorClass.UNAUTHORIZED),
    (
        429,
        error("insufficient_quota", "You exceeded your current quota", "insufficient_quota"),
        ErrorClass.OUT_OF_CREDIT,
    ),
    (400, error("billing_hard_limit_reached", "Billing hard limit has been reached"), ErrorClass.OUT_OF_CREDIT),
    (429, error("rate_limit_exceeded", "Rate limit reached", "requests"), ErrorClass.RATE_LIMITED),
    (404, error("model_not_found", "The model `dall-e-3` does not exist"), ErrorClass.MODEL_RETIRED),
    (400, error("model_not_found", "The model `dall-e-3` has been shut down"), ErrorClass.MODEL_RETIRED),
    (
        400,
        error("moderation_blocked", "Rejected. safety_violations=[violence].", "image_generation_user_error"),
        ErrorClass.CONTENT_REJECTED,
    ),
    (400, error("content_policy_violation", "Your request was rejected"), ErrorClass.CONTENT_REJECTED),
    (400, error("invalid_value", "Invalid size '7x7'", "image_generation_user_error"), ErrorClass.INVALID_REQUEST),
    (400, error(None, "Unknown parameter: 'seed'."), ErrorClass.INVALID_REQUEST),
    (503, error(None, "The engine is currently overloaded", "server_error"), ErrorClass.UNAVAILABLE),
    (400, {"error": "model is not loaded"}, ErrorClass.INVALID_REQUEST),
]


@pytest.mark.parametrize(("status", "body", "error_class"), documented_errors)
def test_an_error_has_its_class_and_its_own_words(status: int, body: dict[str, Any], error_class: ErrorClass) -> None:
    answer = httpx.Response(status, json=body, headers={"x-request-id": "req_1", "retry-after-ms": "1500"})
    found = refused(answer, read_refusal(answer), KEY).error
    assert (found.error_class, found.request_id, found.retry_after_s) == (error_class, "req_1", 1.5)
    said = body["error"] if isinstance(body["error"], str) else body["error"]["message"]
    assert found.message == said.replace(KEY, "***")


@pytest.mark.parametrize(
    ("words", "seconds"),
    [("Please try again in 1m2.5s.", 62.5), ("Please try again in 820ms.", 0.82), ("try again in 20s", 20.0)],
)
def test_a_wait_that_stands_only_in_the_words_is_read(words: str, seconds: float) -> None:
    answer = httpx.Response(429, json=error("rate_limit_exceeded", words, "tokens"))
    assert refused(answer, read_refusal(answer), KEY).error.retry_after_s == seconds


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_proves_nothing(status: int) -> None:
    answer = httpx.Response(
        status, json=error(None, "The server had an error", "server_error"), request=httpx.Request("POST", "http://x")
    )
    with pytest.raises(httpx.HTTPStatusError):
        refused(answer, read_refusal(answer), KEY)


def test_pictures_come_as_bytes_with_their_usage() -> None:
    made = read_pictures(httpx.Response(200, json=documented_pictures, headers={"x-request-id": "req_2"}))
    assert made.outputs == (Output(tiny_png(1), "image/png"), Output(tiny_png(2), "image/png"))
    assert made.usage["output_tokens"] == 50
    assert made.request_id == "req_2"


def test_servers_that_give_addresses_are_understood() -> None:
    made = read_pictures(httpx.Response(200, json=documented_addresses))
    assert made.outputs == (RemoteFile("https://files.example/1.png"),)


@pytest.mark.parametrize(
    "body",
    [{}, [], {"data": []}, {"data": [{}]}, {"data": [{"b64_json": "%%%"}]}, {"data": [{"b64_json": "aGVsbG8="}]}],
)
def test_an_answer_of_success_without_a_picture_is_none(body: Any) -> None:
    with pytest.raises(ValueError, match=r"pictures?|base64"):
        read_pictures(httpx.Response(200, json=body))


def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4.1"}
    return {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}], "usage": None}


documented_usage = {
    **chunk({}),
    "choices": [],
    "usage": {
        "prompt_tokens": 19,
        "completion_tokens": 10,
        "total_tokens": 29,
        "completion_tokens_details": {"reasoning_tokens": 0},
    },
}
documented_stream = [
    chunk({"role": "assistant", "content": "", "refusal": None}),
    chunk({"content": "Hello"}),
    chunk({"content": " there"}),
    chunk({}, "stop"),
    documented_usage,
    "[DONE]",
]


def test_a_stream_becomes_its_text_with_its_usage() -> None:
    transcript = ChatTranscript(KEY, "req_3")
    state = fed(transcript, documented_stream)
    usage = {"input_tokens": 19, "output_tokens": 10, "finish_reason": "stop"}
    assert state == Done(text="Hello there", usage=usage, request_id="req_3")


@pytest.mark.parametrize("events", [documented_stream[:4], documented_stream[:5]])
def test_a_stream_whose_text_is_whole_needs_no_last_word(events: list[Any]) -> None:
    state = fed(ChatTranscript(KEY, None), events)
    assert isinstance(state, Done)
    assert state.text == "Hello there"


@pytest.mark.parametrize("events", [[], documented_stream[:3], [*documented_stream[:3], "[DONE]"]])
def test_a_stream_without_its_end_comes_to_nothing(events: list[Any]) -> None:
    assert fed(ChatTranscript(KEY, None), events) is None


@pytest.mark.parametrize(
    ("events", "error_class", "code", "words"),
    [
        (
            [chunk({"content": "He"}), chunk({}, "content_filter")],
            ErrorClass.CONTENT_REJECTED,
            "content_filter",
            "filter",
        ),
        ([chunk({"refusal": "I'm sorry"}), chunk({}, "stop")], ErrorClass.CONTENT_REJECTED, "refusal", "I'm sorry"),
        ([chunk({}, "length")], ErrorClass.INVALID_REQUEST, "length", "max_tokens"),
        ([chunk({}, "stop")], ErrorClass.INVALID_REQUEST, "stop", "without a word"),
        ([chunk({"content": "x"}, "boredom")], ErrorClass.PROTOCOL, "unknown_reason", "boredom"),
        (
            [chunk({"content": "x"}), error(None, f"The server {KEY}", "server_error")],
            ErrorClass.UNAVAILABLE,
            "server_error",
            "The server ***",
        ),
        ([error("rate_limit_exceeded", "Slow down")], ErrorClass.RATE_LIMITED, "rate_limit_exceeded", "Slow down"),
    ],
)
def test_an_end_that_is_no_text_has_its_class(
    events: list[Any], error_class: ErrorClass, code: str, words: str
) -> None:
    state = fed(ChatTranscript(KEY, "req_4"), events)
    assert isinstance(state, Rejected)
    assert (state.error.error_class, state.error.provider_code, state.error.request_id) == (error_class, code, "req_4")
    assert words in state.error.message


@pytest.mark.parametrize(("delta", "reason"), [({}, "length"), ({"refusal": "no"}, "stop"), ({}, "content_filter")])
def test_an_end_that_is_no_text_tells_what_it_has_used(delta: dict[str, Any], reason: str) -> None:
    used = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 400}}
    state = fed(ChatTranscript(KEY, None), [chunk(delta, reason), used, "[DONE]"])
    assert isinstance(state, Rejected)
    assert state.usage == {"input_tokens": 9, "output_tokens": 400}


def test_a_text_cut_at_the_limit_that_was_asked_for_is_delivered() -> None:
    state = fed(ChatTranscript(KEY, None), [chunk({"content": "Hel"}), chunk({}, "length"), "[DONE]"])
    assert isinstance(state, Done)
    assert (state.text, state.usage["finish_reason"], state.cut_short) == ("Hel", "length", True)


@pytest.mark.parametrize("garbage", ["{", "[]", '"text"', "7"])
def test_an_event_that_is_no_object_is_an_error(garbage: str) -> None:
    with pytest.raises(ValueError, match=r"object|Expecting"):
        fed(ChatTranscript(KEY, None), [garbage])


def test_a_server_that_does_not_stream_is_understood() -> None:
    message = {"role": "assistant", "content": "Hello", "refusal": None}
    whole = {"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    state = read_completion({**whole, "usage": {"prompt_tokens": 1, "completion_tokens": 2}}, KEY, None)
    assert isinstance(state, Done)
    assert (state.text, state.usage["output_tokens"]) == ("Hello", 2)
    with pytest.raises(ValueError, match="no chat completion"):
        read_completion({"object": "error"}, KEY, None)


def test_parameters_go_under_their_own_names() -> None:
    params = {"width": 1024, "height": 1536, "n": 2, "quality": "high", "format": "webp", "moderation": "low"}
    asked = Generation("image", "gpt-image-2", "a fox", params | {"background": "opaque", "seed": 7})
    assert picture_body(asked) == {
        "model": "gpt-image-2",
        "prompt": "a fox",
        "size": "1024x1536",
        "n": 2,
        "quality": "high",
        "output_format": "webp",
        "moderation": "low",
        "background": "opaque",
    }
    form, files = edit_form(Generation("image", "m", "p", params, (Input("image", b"x", "image/webp", 1, 1),)))
    assert form == {
        "model": "m",
        "prompt": "p",
        "size": "1024x1536",
        "n": "2",
        "quality": "high",
        "output_format": "webp",
    }
    assert files == [("image[]", ("image-0.webp", b"x", "image/webp"))]


def test_a_text_is_asked_for_with_its_pictures() -> None:
    seen = Generation(
        "text",
        "gpt-4.1",
        "What is it?",
        {"max_tokens": 9, "temperature": 0},
        (Input("image", b"x", "image/png", 1, 1),),
    )
    body = text_body(seen)
    assert body["messages"][0]["content"] == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}},
    ]
    assert (body["max_completion_tokens"], body["temperature"], body["stream"]) == (9, 0, True)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4.1", "max_completion_tokens"),
        ("o4-mini", "max_completion_tokens"),
        ("llama3.2", "max_tokens"),
        ("gpt-oss:20b", "max_tokens"),
    ],
)
def test_the_limit_has_the_name_that_the_model_takes(model: str, name: str) -> None:
    assert most_tokens_name(model) == name


@pytest.mark.parametrize(
    ("base", "url"),
    [
        (None, "https://api.openai.com/v1"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9/v1"),
        ("http://127.0.0.1:9/v1/", "http://127.0.0.1:9/v1"),
        ("https://host/openai/v1", "https://host/openai/v1"),
    ],
)
def test_the_address_may_come_with_or_without_its_version(base: str | None, url: str) -> None:
    assert OpenAIProvider(KEY, base)._url == url
