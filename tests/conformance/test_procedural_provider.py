"""The built-in provider does what every provider does."""

from __future__ import annotations

from safelight.providers.procedural.provider import ProceduralProvider
from safelight.providers.protocol import Generation, Provider
from safelight.testing.provider_conformance import ProviderConformance
from safelight.testing.support import LocalSupport


class TestProceduralProvider(ProviderConformance):
    local = LocalSupport("`procedural`", "image", is_ai=False, previews=True)

    def make_provider(self) -> Provider:
        return ProceduralProvider()

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        size = {"width": 256, "height": 256}
        return Generation("image", "procedural", "a boat on a lake", {**size, "n": n, "seed": seed})
