"""The settings of this call: environment, TOML file, and what the command line gave."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safelight.settings import Settings


def load(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Raises BadSettings with everything that is wrong."""
    from safelight.settings import load_settings

    return load_settings(os.environ, cwd=Path.cwd(), overrides=overrides)
