"""ModelsLab's adapter against its stand-in, through both of its interfaces."""

from __future__ import annotations

from typing import ClassVar

from safelight.providers.modelslab.provider import ModelsLabProvider
from safelight.providers.protocol import Generation
from safelight.testing.remote_conformance import RemoteProviderConformance
from safelight.testing.stand_in_modelslab import StandInModelsLab
from safelight.testing.support import Support


class TestModelsLab(RemoteProviderConformance):
    support: ClassVar[Support] = Support(
        title="ModelsLab",
        kinds=("image",),
        asynchronous=True,
        hears=True,
        most_outputs=4,
        addresses=True,
        reports_timeouts=True,
        request_ids=False,
    )

    def make_stand_in(self, key: str) -> StandInModelsLab:
        return StandInModelsLab(key=key)

    def make_remote(self, key: str, url: str, answer_within_s: float) -> ModelsLabProvider:
        return ModelsLabProvider(key, url, answer_within_s=answer_within_s)

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        return Generation("image", "flux", "a lighthouse", {"n": n, "seed": seed})


class TestModelsLabV6(TestModelsLab):
    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        return Generation("image", "v6:sdxl", "a lighthouse", {"n": n, "seed": seed})
