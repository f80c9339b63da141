"""Replicate's adapter against its stand-in, which the official client drives too (`tests/integration/stand_ins`)."""

from __future__ import annotations

from typing import ClassVar

from safelight.providers.protocol import Generation
from safelight.providers.replicate.provider import ReplicateProvider
from safelight.testing.mishaps import REFUSALS, Mishap
from safelight.testing.remote_conformance import RemoteProviderConformance
from safelight.testing.stand_in_replicate import StandInReplicate
from safelight.testing.support import Support


class TestReplicate(RemoteProviderConformance):
    support: ClassVar[Support] = Support(
        title="Replicate",
        kinds=("image", "video", "upscale"),
        asynchronous=True,
        refusals=frozenset(REFUSALS) - {Mishap.LOADING},
        cancels=True,
        finds=True,
        hears=True,
        most_outputs=4,
        inputs=("image", "mask", "first_frame", "last_frame"),
        addresses=True,
        tells_progress=True,
        tells_queue=True,
        reports_timeouts=True,
        driven_by="replicate",
    )

    def make_stand_in(self, key: str) -> StandInReplicate:
        return StandInReplicate(key=key)

    def make_remote(self, key: str, url: str, answer_within_s: float) -> ReplicateProvider:
        return ReplicateProvider(key, url, answer_within_s=answer_within_s)

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        return Generation("image", "black-forest-labs/flux-schnell", "a lighthouse", {"n": n, "seed": seed})
