"""OpenAI's adapter against its stand-in: pictures made and edited, texts. Against someone else's: `test_aimock`."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from safelight.domain.outcomes import Done
from safelight.providers.openai.provider import OpenAIProvider
from safelight.providers.protocol import Generation, Input
from safelight.testing.mishaps import REFUSALS, Mishap
from safelight.testing.pictures import tiny_png
from safelight.testing.provider_conformance import Listener
from safelight.testing.remote_conformance import RemoteProviderConformance
from safelight.testing.serving import served
from safelight.testing.stand_in_openai import StandInOpenAI
from safelight.testing.support import Support

KNOWN = frozenset(REFUSALS) - {Mishap.LOADING}
PICTURE, MASK = tiny_png(10), tiny_png(200)


class _OpenAI(RemoteProviderConformance):
    def make_stand_in(self, key: str) -> StandInOpenAI:
        return StandInOpenAI(key=key)

    def make_remote(self, key: str, url: str, answer_within_s: float) -> OpenAIProvider:
        return OpenAIProvider(key, url, answer_within_s=answer_within_s)


class TestOpenAIImages(_OpenAI):
    support: ClassVar[Support] = Support(
        title="OpenAI images",
        kinds=("image",),
        asynchronous=False,
        refusals=KNOWN,
        most_outputs=10,
        inputs=("image", "mask"),
    )

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        params = {"n": n, "width": 1024, "height": 768, "quality": "low", "format": "png"}
        return Generation("image", "gpt-image-2", f"a lighthouse {seed}", params)


class TestOpenAIEdits(_OpenAI):
    """The same by multipart."""

    support: ClassVar[Support] = TestOpenAIImages.support

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        inputs = (Input("image", PICTURE, "image/png", 8, 8), Input("mask", MASK, "image/png", 8, 8))
        return Generation("image", "gpt-image-2", f"a fox in it {seed}", {"n": n}, inputs)


class TestOpenAIText(_OpenAI):
    support: ClassVar[Support] = Support(
        title="OpenAI text",
        kinds=("text",),
        asynchronous=False,
        refusals=KNOWN,
        inputs=("image",),
        streams=True,
    )

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        return Generation("text", "gpt-4.1", f"a tale {seed}", {"max_tokens": 100})


def test_an_edit_sends_its_pictures_and_its_mask_as_they_are() -> None:
    with served(StandInOpenAI()) as stand_in:
        pictures = [Input("image", tiny_png(shade), "image/png", 8, 8) for shade in (1, 2)]
        inputs = (*pictures, Input("mask", MASK, "image/png", 8, 8))
        generation = Generation("image", "gpt-image-2", "a fox", {"n": 2, "width": 512, "height": 512}, inputs)

        async def edited() -> object:
            provider = OpenAIProvider("k", stand_in.url)
            try:
                return await provider.start(generation, "c", Listener())
            finally:
                await provider.close()

        made = asyncio.run(edited())
        assert isinstance(made, Done)
        assert len(made.outputs) == 2
        names = [(field, data) for field, _, data in stand_in.edits[0]]
        assert names == [("image[]", tiny_png(1)), ("image[]", tiny_png(2)), ("mask", MASK)]
