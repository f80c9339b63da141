"""Gemini's adapter against its stand-in."""

from __future__ import annotations

from typing import ClassVar

from safelight.providers.gemini.provider import GeminiProvider
from safelight.providers.protocol import Generation
from safelight.testing.mishaps import REFUSALS, Mishap
from safelight.testing.remote_conformance import RemoteProviderConformance
from safelight.testing.stand_in_gemini import StandInGemini
from safelight.testing.support import Support


class TestGemini(RemoteProviderConformance):
    support: ClassVar[Support] = Support(
        title="Google Gemini",
        kinds=("text",),
        asynchronous=False,
        refusals=frozenset(REFUSALS) - {Mishap.LOADING},
        inputs=("image",),
        streams=True,
    )

    def make_stand_in(self, key: str) -> StandInGemini:
        return StandInGemini(key=key)

    def make_remote(self, key: str, url: str, answer_within_s: float) -> GeminiProvider:
        return GeminiProvider(key, url, answer_within_s=answer_within_s)

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        return Generation("text", "gemini-3.1-flash-lite", f"a tale {seed}", {"max_tokens": 100})
