"""Anthropic's adapter against its stand-in."""

from __future__ import annotations

from typing import ClassVar

from safelight.providers.anthropic.provider import AnthropicProvider
from safelight.providers.protocol import Generation
from safelight.testing.mishaps import REFUSALS, Mishap
from safelight.testing.remote_conformance import RemoteProviderConformance
from safelight.testing.stand_in_anthropic import StandInAnthropic
from safelight.testing.support import Support


class TestAnthropic(RemoteProviderConformance):
    support: ClassVar[Support] = Support(
        title="Anthropic",
        kinds=("text",),
        asynchronous=False,
        refusals=frozenset(REFUSALS) - {Mishap.LOADING},
        inputs=("image",),
        streams=True,
    )

    def make_stand_in(self, key: str) -> StandInAnthropic:
        return StandInAnthropic(key=key)

    def make_remote(self, key: str, url: str, answer_within_s: float) -> AnthropicProvider:
        return AnthropicProvider(key, url, answer_within_s=answer_within_s)

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        return Generation("text", "claude-sonnet-4-6", f"a tale {seed}", {"max_tokens": 100})
