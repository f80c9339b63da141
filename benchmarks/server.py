"""A real server in a process of its own, in a folder of its own, ended by its process id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

READY_WITHIN_S = 60.0


class Server:
    """`safelight serve` on one data folder; may be started again on the same one."""

    def __init__(self, folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        self.folder, self._arguments, self._environ = folder, arguments, environ or {}
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it; seconds until it answered that it is ready."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SAFELIGHT_")}
        environ = {**kept, "SAFELIGHT_DATA_DIR": str(self.folder / "data"), "SAFELIGHT_LOG_LEVEL": "warning"}
        environ |= self._environ
        started = time.perf_counter()
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "safelight", "serve", "--port", str(self.port), *self._arguments],
                env=environ,
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        while time.perf_counter() - started < READY_WITHIN_S:
            if self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/api/ready", timeout=2).status_code == 200:
                    return time.perf_counter() - started
            except httpx.TransportError:
                time.sleep(0.01)
        raise RuntimeError(f"The server did not become ready:\n{(self.folder / 'server.log').read_text()}")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: no chance to say goodbye."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and wait for the drain."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(timeout=90)
        self._process = None


@contextmanager
def running(folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server while the block lasts."""
    server = Server(folder, *arguments, environ=environ)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
