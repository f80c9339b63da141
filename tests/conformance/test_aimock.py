"""The adapters of OpenAI, Anthropic and Gemini against aimock: their APIs as somebody else has understood them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from safelight.domain.outcomes import Done, ErrorClass, Rejected, RemoteState
from safelight.providers.anthropic.provider import AnthropicProvider
from safelight.providers.gemini.provider import GeminiProvider
from safelight.providers.openai.provider import OpenAIProvider
from safelight.providers.protocol import Generation, Input, NotSent, Provider
from safelight.testing.pictures import tiny_png
from safelight.testing.provider_conformance import Listener
from tests.support.aimock import Aimock, aimock

KEY = "sk-aimock-1"
STORY = "Once upon a time, in a darkroom far away, there was a 暗室 🦊 and a lamp."
USAGE = {"prompt_tokens": 9, "completion_tokens": 21, "total_tokens": 30}
PICTURES = [{"b64Json": base64.b64encode(tiny_png(shade)).decode()} for shade in (1, 2)]
Maker = Callable[[str], Provider]
TEXTS: list[Any] = [
    pytest.param(lambda url: OpenAIProvider(KEY, f"{url}/v1"), "gpt-4.1", id="openai"),
    pytest.param(lambda url: AnthropicProvider(KEY, url), "claude-sonnet-4-6", id="anthropic"),
    pytest.param(lambda url: GeminiProvider(KEY, url), "gemini-3.1-flash-lite", id="gemini"),
]


def refusals(words: str, status: int, message: str, kind: str, code: str, **more: Any) -> list[dict[str, Any]]:
    """The same for pictures and for texts."""
    response = {"error": {"message": message, "type": kind, "code": code}, "status": status, **more}
    return [{"match": {"userMessage": words, "endpoint": each}, "response": response} for each in ("image", "chat")]


FIXTURES: list[dict[str, Any]] = [
    *refusals("too many", 429, "Rate limit reached", "rate_limit_error", "rate_limit_exceeded", retryAfter=9),
    *refusals("forbidden", 400, "Rejected by the safety system", "image_generation_user_error", "moderation_blocked"),
    *refusals("no such model", 404, "The model does not exist", "invalid_request_error", "model_not_found"),
    *refusals("broken", 500, "The server had an error", "server_error", "server_error"),
    {"match": {"userMessage": "two pictures"}, "response": {"images": PICTURES}},
    {"match": {"userMessage": "make it blue"}, "response": {"images": PICTURES[:1]}},
    {"match": {"userMessage": "a story"}, "response": {"content": STORY, "usage": USAGE}, "chunkSize": 7},
    {"match": {"userMessage": "cut short"}, "response": {"content": STORY, "finishReason": "length"}, "chunkSize": 7},
    {"match": {"userMessage": "filtered"}, "response": {"content": "Once", "finishReason": "content_filter"}},
    {
        "match": {"userMessage": "breaks off"},
        "response": {"content": STORY},
        "chunkSize": 7,
        "truncateAfterChunks": 3,
        "latency": 20,
    },
]


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aimock]:
    with aimock(tmp_path_factory.mktemp("aimock"), FIXTURES) as found:
        yield found


def begun(mock: Aimock, make: Maker, generation: Generation, listener: Listener | None = None) -> RemoteState:
    async def run() -> RemoteState:
        provider = make(mock.url)
        try:
            return await provider.start(generation, "call", listener or Listener())
        finally:
            await provider.close()

    return asyncio.run(run())


def drawn(mock: Aimock, prompt: str, *inputs: Input, **params: Any) -> RemoteState:
    generation = Generation("image", "gpt-image-2", prompt, params, inputs)
    return begun(mock, lambda url: OpenAIProvider(KEY, f"{url}/v1"), generation)


def written(mock: Aimock, make: Maker, model: str, prompt: str, listener: Listener | None = None) -> RemoteState:
    return begun(mock, make, Generation("text", model, prompt, {"max_tokens": 200}), listener)


def test_pictures_are_asked_for_in_openais_words_and_read(mock: Aimock) -> None:
    made = drawn(mock, "two pictures", n=2, width=1024, height=1536, quality="low", format="png")
    assert isinstance(made, Done)
    assert [getattr(each, "data", None) for each in made.outputs] == [tiny_png(1), tiny_png(2)]
    (asked,) = mock.heard("/v1/images/generations")
    assert asked["response"]["status"] == 200


def test_an_edit_goes_as_multipart(mock: Aimock) -> None:
    pictures = (Input("image", tiny_png(5), "image/png", 8, 8), Input("mask", tiny_png(6), "image/png", 8, 8))
    made = drawn(mock, "make it blue", *pictures, n=1)
    assert isinstance(made, Done)
    assert len(made.outputs) == 1
    (asked,) = mock.heard("/v1/images/edits")
    assert asked["headers"]["content-type"].startswith("multipart/form-data")


@pytest.mark.parametrize(
    ("prompt", "error_class", "code"),
    [
        ("too many", ErrorClass.RATE_LIMITED, "rate_limit_exceeded"),
        ("forbidden", ErrorClass.CONTENT_REJECTED, "moderation_blocked"),
        ("no such model", ErrorClass.MODEL_RETIRED, "model_not_found"),
    ],
)
def test_a_refused_picture_has_its_class(mock: Aimock, prompt: str, error_class: ErrorClass, code: str) -> None:
    state = drawn(mock, prompt)
    assert isinstance(state, Rejected)
    assert (state.error.error_class, state.error.provider_code) == (error_class, code)
    assert state.error.request_id
    if error_class is ErrorClass.RATE_LIMITED:
        assert state.error.retry_after_s == 9


def test_a_server_error_proves_nothing(mock: Aimock) -> None:
    with pytest.raises(Exception, match="500"):
        drawn(mock, "broken")


@pytest.mark.parametrize(("make", "model"), TEXTS)
def test_a_text_grows_and_ends_with_its_usage(mock: Aimock, make: Maker, model: str) -> None:
    listener = Listener()
    made = written(mock, make, model, "a story", listener)
    assert isinstance(made, Done)
    assert made.text == STORY
    assert len(listener.texts) > 3
    assert all(STORY.startswith(text) for text in listener.texts)
    assert (made.usage["input_tokens"], made.usage["output_tokens"]) == (9, 21)


@pytest.mark.parametrize(("make", "model"), TEXTS)
def test_a_text_that_is_cut_short_is_delivered_and_says_so(mock: Aimock, make: Maker, model: str) -> None:
    made = written(mock, make, model, "cut short")
    assert isinstance(made, Done)
    assert made.usage["finish_reason"].lower() in ("length", "max_tokens")


@pytest.mark.parametrize(("make", "model"), [TEXTS[0], TEXTS[2]])
def test_a_filtered_text_is_rejected(mock: Aimock, make: Maker, model: str) -> None:
    state = written(mock, make, model, "filtered")
    assert isinstance(state, Rejected)
    assert state.error.error_class is ErrorClass.CONTENT_REJECTED


@pytest.mark.parametrize(("make", "model"), TEXTS)
def test_a_text_that_breaks_off_is_not_delivered(mock: Aimock, make: Maker, model: str) -> None:
    with pytest.raises(Exception, match=r"without a word of its end|peer closed|incomplete|disconnected") as raised:
        written(mock, make, model, "breaks off")
    assert not isinstance(raised.value, NotSent)


@pytest.mark.parametrize(("make", "model"), TEXTS)
def test_a_busy_provider_of_texts_says_when_to_come_again(mock: Aimock, make: Maker, model: str) -> None:
    state = written(mock, make, model, "too many")
    assert isinstance(state, Rejected)
    assert (state.error.error_class, state.error.retry_after_s) == (ErrorClass.RATE_LIMITED, 9)
    assert "Rate limit reached" in state.error.message
