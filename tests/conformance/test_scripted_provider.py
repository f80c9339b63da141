"""The fake that tests are played with is itself a provider like any other, in both of its forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safelight.domain.outcomes import Done, Output, Pending, RemoteState
from safelight.providers.protocol import Generation, Provider, Report
from safelight.testing.pictures import SIDE_PX, tiny_png
from safelight.testing.provider_conformance import ProviderConformance
from safelight.testing.providers import Says, ScriptedProvider, Step


class Obliging(ScriptedProvider):
    """Delivers what each generation asks for, at once or when it is polled."""

    def __init__(self, *, remote: bool) -> None:
        super().__init__(repeatable=not remote)
        self._remote, self._count = remote, 0

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        pictures = _pictures(generation.params)
        steps: list[Step] = [Says(0.25), Says(0.5), pictures]
        if self._remote:
            self._count += 1
            steps = [Pending(f"r{self._count}", 0.1), Pending(f"r{self._count}", 0.6), pictures]
        return await self._play(iter(steps), report)


def _pictures(params: Mapping[str, Any]) -> Done:
    shades = range(params["seed"], params["seed"] + params["n"])
    return Done(tuple(Output(tiny_png(shade), "image/png", SIDE_PX, SIDE_PX) for shade in shades))


class TestLocalFake(ProviderConformance):
    def make_provider(self) -> Provider:
        return Obliging(remote=False)

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        return Generation("image", "m", "a cat", {"n": n, "seed": seed})


class TestRemoteFake(TestLocalFake):
    def make_provider(self) -> Provider:
        return Obliging(remote=True)
