"""What a provider's answer to the question for one model means."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import httpx
import pytest

from safelight.providers.openai.refusing import read_refusal
from safelight.providers.probing import known, probed
from safelight.providers.protocol import Knows, ModelState, ProbeResult

KEY = "sk-secret-1234567890"
documented_openai_model = {
    "id": "gpt-4.1",
    "object": "model",
    "created": 1744316542,
    "owned_by": "system",
    "shutdown_date": "2027-01-14",
}
documented_openai_missing = {
    "error": {
        "message": "The model 'dall-e-3' does not exist",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }
}
documented_anthropic_model = {
    "type": "model",
    "id": "claude-sonnet-4-6",
    "display_name": "Claude Sonnet 4.6",
    "created_at": "2026-02-17T00:00:00Z",
}


def told(status: int, body: Any) -> ModelState:
    async def answered() -> httpx.Response:
        return httpx.Response(status, json=body) if not isinstance(body, str) else httpx.Response(status, text=body)

    return asyncio.run(known(answered(), KEY, read_refusal))


def test_a_model_that_is_found_is_served_until_the_day_told() -> None:
    assert told(200, documented_openai_model) == ModelState(True, date(2027, 1, 14))
    assert told(200, {**documented_openai_model, "shutdown_date": None}) == ModelState(True)
    assert told(200, documented_anthropic_model) == ModelState(True)


def test_a_model_that_is_not_found_is_gone_in_the_providers_words() -> None:
    gone = told(404, documented_openai_missing)
    assert gone.served is False
    assert gone.message == "The model 'dall-e-3' does not exist"


def test_a_wrong_key_is_told_in_the_providers_words_not_in_its_json() -> None:
    documented = {"error": {"message": f"Incorrect API key provided: {KEY}.", "code": "invalid_api_key"}}

    async def answered() -> httpx.Response:
        return httpx.Response(401, json=documented)

    result = asyncio.run(probed(answered(), KEY, read_refusal))
    assert result == ProbeResult(True, key_valid=False, message="Incorrect API key provided: ***.")


@pytest.mark.parametrize(("status", "body"), [(401, f"bad key {KEY}"), (500, "oops"), (200, "no json"), (429, {})])
def test_any_other_answer_says_nothing_and_never_shows_the_key(status: int, body: Any) -> None:
    state = told(status, body)
    assert state.served is None
    assert KEY not in state.message


def test_no_answer_says_nothing() -> None:
    async def cut() -> httpx.Response:
        raise httpx.ConnectError("refused")

    assert asyncio.run(known(cut(), KEY, read_refusal)).served is None


def test_the_adapters_that_can_be_asked_are() -> None:
    from safelight.providers.anthropic.provider import AnthropicProvider
    from safelight.providers.gemini.provider import GeminiProvider
    from safelight.providers.openai.provider import OpenAIProvider
    from safelight.providers.replicate.provider import ReplicateProvider

    made = [make(KEY) for make in (AnthropicProvider, GeminiProvider, OpenAIProvider, ReplicateProvider)]
    assert all(isinstance(provider, Knows) for provider in made)
