"""Commands run in this process, straight on a database of their own."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from safelight.cli.main import app

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str) -> Run:
    """Run a command on the test's database, with an environment of its own."""
    environment: dict[str, str | None] = dict.fromkeys(name for name in os.environ if name.startswith("SAFELIGHT_"))
    environment |= {"SAFELIGHT_DATABASE_URL": database_url, "COLUMNS": "80", "TZ": "UTC"}
    return lambda *words, typed=None, **settings: CliRunner().invoke(
        app, list(words), input=typed, env=environment | settings
    )
