"""Which adapters there are and what each needs: with `app.py` the composition root, and the only place that names them.

An adapter's module is imported when it is used: most installations have keys for one or two providers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points

from safelight.providers.procedural.provider import ProceduralProvider
from safelight.providers.protocol import Provider
from safelight.settings import Settings
from safelight.settings.fields import variable


@dataclass(frozen=True, slots=True)
class Adapters:
    """The providers that can be used here, and of the others, by name, what is missing: `no OPENAI_API_KEY`."""

    usable: Mapping[str, Provider]
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Remote:
    """A provider that needs a key. `make` takes the key and the base address, None for the provider's own."""

    name: str
    key: str
    """The setting."""
    base_url: str
    """The setting."""
    make: Callable[[str, str | None], Provider]


def _replicate(key: str, base_url: str | None) -> Provider:
    from safelight.providers.replicate.provider import ReplicateProvider

    return ReplicateProvider(key, base_url)


_REMOTE: tuple[_Remote, ...] = (_Remote("replicate", "replicate_api_token", "replicate_base_url", _replicate),)


def adapters(settings: Settings) -> Adapters:
    """The built-in providers, those with a key, and those that installed packages offer under `safelight.providers`."""
    usable: dict[str, Provider] = {ProceduralProvider.name: ProceduralProvider()}
    missing: dict[str, str] = {}
    for remote in _REMOTE:
        if key := getattr(settings, remote.key):
            usable[remote.name] = remote.make(key, getattr(settings, remote.base_url))
        else:
            missing[remote.name] = f"no {variable(remote.key)}"
    for entry in entry_points(group="safelight.providers"):
        provider: Provider = entry.load()()
        usable[provider.name] = provider
    return Adapters(usable, missing)
