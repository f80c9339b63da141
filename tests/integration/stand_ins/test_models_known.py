"""Adapters ask their provider, by its stand-in, whether it serves a model: read-only, in its words, without the key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from safelight.providers.anthropic.provider import AnthropicProvider
from safelight.providers.gemini.provider import GeminiProvider
from safelight.providers.openai.provider import OpenAIProvider
from safelight.providers.protocol import ModelState
from safelight.providers.replicate.provider import ReplicateProvider
from safelight.testing.paid_stand_in import PaidStandIn
from safelight.testing.serving import served
from safelight.testing.stand_in_anthropic import StandInAnthropic
from safelight.testing.stand_in_gemini import StandInGemini
from safelight.testing.stand_in_openai import StandInOpenAI
from safelight.testing.stand_in_replicate import StandInReplicate

KEY = "key-for-tests-0123456789"
PAIRS = [
    (StandInAnthropic, AnthropicProvider),
    (StandInGemini, GeminiProvider),
    (StandInOpenAI, OpenAIProvider),
    (StandInReplicate, ReplicateProvider),
]


def known(make: Callable[..., Any], url: str, model: str, key: str = KEY) -> ModelState:
    async def ask() -> ModelState:
        provider = make(key, url)
        try:
            state: ModelState = await provider.knows(model)
            return state
        finally:
            await provider.close()

    return asyncio.run(ask())


@pytest.mark.parametrize(("stand_in", "adapter"), PAIRS, ids=lambda each: each.__name__)
def test_a_provider_says_whether_it_serves_a_model(stand_in: type[PaidStandIn], adapter: Callable[..., Any]) -> None:
    with served(stand_in(key=KEY)) as provider:
        provider.retired.add("house/old")
        assert known(adapter, provider.url, "house/new").served is True
        gone = known(adapter, provider.url, "house/old")
        assert (gone.served, bool(gone.message)) == (False, True)
        refused = known(adapter, provider.url, "house/new", "another-key-9876543210")
        assert refused.served is None
        assert "another-key-9876543210" not in refused.message
        assert provider.posts == []
