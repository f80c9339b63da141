"""Every example of Python runs against a fresh server, as its reader would run it, and does what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Installation, installation

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
WITHIN_S = 90.0
SAYS = {
    "avatars.py": "saved avatar.webp",
    "image_queue.py": "saved image_queue.png",
    "scenes.py": "3 pictures in the chapter",
    "submit_and_watch.py": "saved submit_and_watch.png",
    "typed_jobs.py": "image completed 1 credit(s)",
    "without_asyncio.py": "picture-2.png, 1 credit(s)",
}
"""The last words of each, or a line of it."""
TRIED_ELSEWHERE = {"openai_client.py": "tests/conformance", "task_channel.py": "tests/conformance"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("served")) as made:
        made.serve()
        yield made


@pytest.mark.parametrize("name", SAYS)
def test_an_example_does_what_it_says(served: Installation, tmp_path: Path, name: str) -> None:
    environ = {**os.environ, "SAFELIGHT_URL": served.url}
    command = [sys.executable, str(EXAMPLES / name)]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=WITHIN_S)
    assert (done.returncode, done.stderr) == (0, "")
    assert SAYS[name] in done.stdout


def test_every_example_is_run_somewhere() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*SAYS, *TRIED_ELSEWHERE}
