"""What the browser tests share: a real server in a process of its own, and what to do when a tool is missing."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

from tests.support.launch import Launched, environ_with, run

START_S = 60.0
STOP_S = 20.0
ANN, BOB, READER = "sk-test-of-ann-alone", "sk-test-of-bob-alone", "sk-test-of-prometheus"
"""Keys of two people who may make pictures, and of somebody who may not."""


def missing(what: str) -> NoReturn:
    """Skip with one line; under CI a missing tool is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


class Server:
    """`safelight serve` in a process of its own; can be stopped and started again on the same data and port."""

    def __init__(self, folder: Path, *args: str, environ: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.args = args
        self.environ = environ or {}
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self._process: Launched | None = None

    def start(self) -> None:
        words = ["serve", "--port", str(self.port), *self.args]
        with self.log.open("ab") as log:
            self._process = Launched(words, cwd=self.folder, env=self._environ(), stdout=log, stderr=log)
        give_up_at = time.monotonic() + START_S
        with httpx.Client(base_url=self.url, trust_env=False) as client:
            while not _answers(client):
                if time.monotonic() > give_up_at or self._ended_within(0.05):
                    pytest.fail(f"The server did not start:\n{self.log.read_text()[-4000:]}")

    def command(self, *words: str) -> None:
        """`safelight` with these words, on the data of this server."""
        run(words, cwd=self.folder, env=self._environ(), timeout_s=START_S).check_returncode()

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _environ(self) -> dict[str, str]:
        return environ_with({"data_dir": self.folder / "data"}, self.environ)

    def _ended_within(self, seconds: float) -> bool:
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def _answers(client: httpx.Client) -> bool:
    # `live`, not `ready`: without a worker a server is never ready.
    try:
        return client.get("/api/live", timeout=5).is_success
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
