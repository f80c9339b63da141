"""A real Prometheus in a folder of its own, that scrapes what a test names."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from safelight.testing.throwaway import NoServer, free_port

PATIENCE_S = 40.0


class Prometheus:
    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: str) -> dict[str, float]:
        """The value of each series now, by its labels as JSON."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": query}, trust_env=False).json()
        assert answer["status"] == "success", answer
        return {
            json.dumps(each["metric"], sort_keys=True): float(each["value"][1]) for each in answer["data"]["result"]
        }

    def until(self, query: str, wanted: Sequence[float]) -> dict[str, float]:
        """The series once they have these values, in any order."""
        give_up_at = time.monotonic() + PATIENCE_S
        while sorted((found := self._asked(query)).values()) != sorted(wanted):
            assert time.monotonic() < give_up_at, f"{query}: {found}"
            time.sleep(0.1)
        return found

    def targets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{self.url}/api/v1/targets", trust_env=False).json()["data"][
            "activeTargets"
        ]
        return found

    def _asked(self, query: str) -> dict[str, float]:
        try:
            return self.ask(query)
        except (httpx.TransportError, ValueError):  # it is not ready yet
            return {}


@contextmanager
def prometheus(folder: Path, places: Sequence[str]) -> Iterator[Prometheus]:
    """Scrapes `/metrics` of these every half second. Raises NoServer."""
    program = shutil.which("prometheus")
    if program is None:
        raise NoServer("no prometheus; on Debian: apt-get install prometheus")
    folder.mkdir()
    settings = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"},
        "scrape_configs": [{"job_name": "safelight", "static_configs": [{"targets": list(places)}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(settings))  # JSON is YAML
    port = free_port()
    command = [program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    command.append(f"--web.listen-address=127.0.0.1:{port}")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
