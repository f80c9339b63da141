"""Which providers can be used with which settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from safelight import adapters as composition
from safelight.adapters import adapters
from safelight.settings import load_settings


def test_without_any_key_the_built_in_providers_are_there_under_their_own_names() -> None:
    found = adapters(load_settings({}, cwd=Path("/nowhere")))
    assert {"procedural", "procedural-video", "procedural-text", "realesrgan", "lanczos"} <= set(found.usable)
    assert all(provider.name == name for name, provider in found.usable.items())


def test_a_provider_whose_extra_is_not_installed_is_missing_and_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(composition, "find_spec", lambda module: None)
    found = adapters(load_settings({}, cwd=Path("/nowhere")))
    assert found.missing["realesrgan"] == "the extra local-upscale is not installed"
    assert found.missing["procedural-video"] == "the extra video is not installed"
    assert not {"realesrgan", "procedural-video"} & set(found.usable)
    assert {"procedural", "lanczos"} <= set(found.usable)
