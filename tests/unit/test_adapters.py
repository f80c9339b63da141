"""Which providers can be used with which settings."""

from __future__ import annotations

from pathlib import Path

from safelight.adapters import adapters
from safelight.settings import load_settings


def test_without_any_key_the_built_in_provider_is_there() -> None:
    found = adapters(load_settings({}, cwd=Path("/nowhere")))
    assert "procedural" in found.usable
