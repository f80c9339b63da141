"""What every paid provider behind HTTP does, above all when something goes wrong. Subclass it as `Test…`:

    class TestMine(RemoteProviderConformance):
        support = Support("Mine", kinds=("image",), asynchronous=True, cancels=True)

        def make_stand_in(self, key: str) -> PaidStandIn: ...
        def make_remote(self, key: str, url: str, answer_within_s: float) -> Provider: ...
        def generation(self, *, n: int = 1, seed: int = 7) -> Generation: ...

The stand-in plays the provider on a loopback address, and each mishap of `mishaps.Mishap` on demand. Where a provider
knows no such mishap (`support.refusals`) or has no such ability, the test is skipped and says so.
"""

from __future__ import annotations

from safelight.testing.remote_accepted import AcceptedCalls
from safelight.testing.remote_contact import Keys, LostAnswers, Probes
from safelight.testing.remote_refusals import Refusals


class RemoteProviderConformance(Refusals, AcceptedCalls, LostAnswers, Probes, Keys):
    """All of `ProviderConformance`, and how a paid call ends in every case."""
