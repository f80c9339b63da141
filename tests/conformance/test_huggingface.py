"""Hugging Face's adapter against its stand-in, which the official client drives too (`tests/integration/stand_ins`)."""

from __future__ import annotations

from typing import ClassVar

from safelight.providers.huggingface.provider import HuggingFaceProvider
from safelight.providers.protocol import Generation
from safelight.testing.remote_conformance import RemoteProviderConformance
from safelight.testing.stand_in_huggingface import StandInHuggingFace
from safelight.testing.support import Support


class TestHuggingFace(RemoteProviderConformance):
    support: ClassVar[Support] = Support(
        title="Hugging Face",
        kinds=("image",),
        asynchronous=False,
        inputs=("image",),
        estimates=True,
        driven_by="huggingface_hub",
    )

    def make_stand_in(self, key: str) -> StandInHuggingFace:
        return StandInHuggingFace(key=key)

    def make_remote(self, key: str, url: str, answer_within_s: float) -> HuggingFaceProvider:
        return HuggingFaceProvider(key, url, answer_within_s=answer_within_s)

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        return Generation("image", "black-forest-labs/FLUX.1-dev", "a lighthouse", {"n": n, "seed": seed})
