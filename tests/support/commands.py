"""Whether a command that somebody is told to run exists."""

from __future__ import annotations

import shlex
from typing import Any

from typer.main import get_command

from safelight.cli.main import app


def assert_exists(command: str) -> None:
    """Down the tree of commands, and then every option must be one of the last."""
    words = shlex.split(command)[1:]
    found: Any = get_command(app)
    while words and words[0] in getattr(found, "commands", {}):
        found = found.commands[words.pop(0)]
    assert not hasattr(found, "commands"), command
    known = {option for param in found.params for option in param.opts}
    assert {word for word in words if word.startswith("--")} <= known, command
