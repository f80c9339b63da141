"""A stand-in server, and a way to run commands against it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner, Result

from safelight.cli.main import app
from tests.unit.cli.stand_in import StandIn, listening

Run = Callable[..., Result]


@pytest.fixture
def server() -> Iterator[StandIn]:
    with listening() as stand_in:
        yield stand_in


@pytest.fixture
def run(server: StandIn) -> Run:
    """Run a command against the stand-in, with an environment of its own."""
    environment: dict[str, str | None] = dict.fromkeys(name for name in os.environ if name.startswith("SAFELIGHT_"))
    environment |= {"SAFELIGHT_URL": server.url, "COLUMNS": "80", "TZ": "UTC"}

    def invoke(*words: str, input: str | None = None) -> Result:
        return CliRunner().invoke(app, list(words), env=environment, input=input)

    return invoke
