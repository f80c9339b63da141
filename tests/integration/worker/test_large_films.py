"""A film is never in memory as a whole: not on its way from the provider, nor into the store, nor when found again."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from safelight.testing.hollow_films import FTYP, hollow_film, moov

FILM_BYTES = 300 * 1024 * 1024
MAY_GROW_MB = 90
CHUNK = bytes(1024 * 1024)


class _Films(BaseHTTPRequestHandler):
    """A film of zeros: its headers, then as much of nothing as it takes."""

    def do_GET(self) -> None:
        head = FTYP + moov() + (8 + FILM_BYTES).to_bytes(4, "big") + b"mdat"
        short = hollow_film()
        is_short = self.path == "/short"
        self.send_response(200)
        self.send_header("Content-Length", str(len(short) if is_short else len(head) + FILM_BYTES))
        self.end_headers()
        self.wfile.write(short if is_short else head)
        for _ in range(0 if is_short else FILM_BYTES // len(CHUNK)):
            self.wfile.write(CHUNK)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def films() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Films)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("kind", ["file", "s3"])
def test_300_mb_are_brought_and_found_again_in_little_memory(
    request: pytest.FixtureRequest, tmp_path: Path, films: str, kind: str
) -> None:
    store_url = (tmp_path / "assets").as_uri() if kind == "file" else request.getfixturevalue("s3_url")
    command = [sys.executable, "-m", "tests.support.bring_film", films, store_url, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["bytes"] > FILM_BYTES
    assert (told["same"], told["length_s"]) == (True, 2.5)
    assert told["brought_mb"] < MAY_GROW_MB, told
    assert told["found_mb"] < MAY_GROW_MB, told
