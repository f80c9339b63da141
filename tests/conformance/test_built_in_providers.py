"""The built-in providers of films, texts and larger pictures do what every provider does."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from safelight.providers.lanczos.provider import LanczosProvider
from safelight.providers.procedural.text_provider import ProceduralTextProvider
from safelight.providers.procedural.video_provider import ProceduralVideoProvider
from safelight.providers.protocol import Generation, Input, Provider
from safelight.providers.realesrgan.provider import RealesrganProvider
from safelight.testing.provider_conformance import ProviderConformance
from safelight.testing.support import LocalSupport


class TestProceduralVideoProvider(ProviderConformance):
    local = LocalSupport("`procedural-video`", "video", is_ai=False, previews=True, needs="video")
    most_outputs = 1

    def make_provider(self) -> Provider:
        return ProceduralVideoProvider()

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        small = {"width": 128, "height": 128, "duration_s": 1, "fps": 8}
        return Generation("video", "procedural-video", "a boat on a lake", {**small, "seed": seed})


class TestProceduralTextProvider(ProviderConformance):
    local = LocalSupport("`procedural-text`", "text", is_ai=False, streams=True)
    most_outputs = 1

    def make_provider(self) -> Provider:
        return ProceduralTextProvider()

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        return Generation("text", "procedural-text", "a boat on a lake", {"max_tokens": 60, "seed": seed})


def upscale(seed: int) -> Generation:
    """Upscalers have no seed: another number is another picture."""
    buffer = BytesIO()
    Image.linear_gradient("L").resize((40 + seed, 30)).save(buffer, "PNG")
    return Generation(
        "upscale", "any", "", {"scale": 2}, (Input("image", buffer.getvalue(), "image/png", 40 + seed, 30),)
    )


class TestLanczosProvider(ProviderConformance):
    local = LocalSupport("`lanczos`", "upscale", is_ai=False)
    most_outputs = 1

    def make_provider(self) -> Provider:
        return LanczosProvider()

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        return upscale(seed)


class TestRealesrganProvider(ProviderConformance):
    local = LocalSupport("`realesrgan`", "upscale", is_ai=True, previews=True, needs="local-upscale")
    most_outputs = 1

    def make_provider(self) -> Provider:
        return RealesrganProvider()

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        return upscale(seed)
