"""Somebody else's mock of AI providers (npm: @copilotkit/aimock) in a process of its own, with answers as we wish."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.browser.running import missing

FOLDER = Path(__file__).parent.parent / "conformance" / "aimock"
PROGRAM = FOLDER / "node_modules" / "@copilotkit" / "aimock" / "dist" / "aimock-cli.js"
LISTENS = "listening on "


@dataclass(frozen=True, slots=True)
class Aimock:
    """Where it listens."""

    url: str

    def heard(self, path: str) -> list[dict[str, Any]]:
        """Its journal: every request to that path, oldest first."""
        answer = httpx.get(f"{self.url}/__aimock/journal", params={"path": path}, trust_env=False)
        found = answer.raise_for_status().json()
        entries: list[dict[str, Any]] = found if isinstance(found, list) else found["entries"]
        return entries


@contextmanager
def aimock(folder: Path, fixtures: Sequence[Mapping[str, Any]]) -> Iterator[Aimock]:
    """It answers each request by the first of the fixtures that matches. Skips where it is not installed."""
    node = shutil.which("node")
    if node is None or not PROGRAM.exists():
        missing("Tests against aimock need Node.js and: npm install --prefix tests/conformance/aimock")
    (folder / "fixtures.json").write_text(json.dumps({"fixtures": list(fixtures)}))
    config = folder / "aimock.json"
    config.write_text(json.dumps({"llm": {"fixtures": str(folder / "fixtures.json")}}))
    command = [str(node), str(PROGRAM), "--config", str(config), "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if LISTENS in line:
                yield Aimock(line.rpartition(LISTENS)[2].strip())
                return
        raise AssertionError(f"aimock ended: {''.join(said)}")
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
