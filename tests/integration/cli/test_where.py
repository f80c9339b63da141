"""A server that was named is not what operators' commands work on: they say on which database they do."""

from __future__ import annotations

import pytest

from tests.integration.cli.conftest import Run

SERVER = {"SAFELIGHT_URL": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    "words", [("queue", "list"), ("maintenance", "show"), ("credits", "audit"), ("doctor", "--here", "--json")]
)
def test_a_command_past_the_server_that_was_named_says_where_it_works(run: Run, words: tuple[str, ...]) -> None:
    said = run(*words, **SERVER)
    assert "Not through SAFELIGHT_URL, but on " in said.stderr
    assert "Not through" not in said.stdout
    assert "Not through" not in run(*words).stderr
