"""Safelight behind a real nginx that ends TLS and puts it under a path, configured as docs/proxy.md says."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.sync.client import connect

from safelight.testing.pictures import tiny_png
from safelight.testing.throwaway import NoServer, free_port
from tests.support.nginx import nginx
from tests.support.server import Installation, installation

KEY = "sk-test-0123456789abcdef0123456789abcdef"
AS_ANN = {"Authorization": f"Bearer {KEY}"}


class Outside:
    """What a user sees of it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.tls = ssl.create_default_context(cafile=str(folder / "cert.pem"))
        self.http = httpx.Client(verify=self.tls, trust_env=False, timeout=30)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.http.request(method, f"{self.url}{path}", **options)


@contextmanager
def outside(made: Installation, folder: Path, port: int, **changes: str) -> Iterator[Outside]:
    inner = urlsplit(made.url).port
    assert inner is not None
    try:
        with nginx(folder, port, inner, **changes) as url:
            seen = Outside(url, folder)
            yield seen
            seen.http.close()
    except NoServer as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def made(tmp_path: Path, port: int) -> Iterator[Installation]:
    settings = {
        "trusted_proxies": "127.0.0.1",
        "public_url": f"https://127.0.0.1:{port}/safelight",
        "api_keys": f"{KEY}:ann:jobs+read+admin",
    }
    with installation(tmp_path / "inside", **settings) as found:
        found.serve()
        yield found


def test_everything_is_found_under_the_path_with_tls(made: Installation, tmp_path: Path, port: int) -> None:
    with outside(made, tmp_path / "nginx", port) as seen:
        grant = {"user_id": "ann", "amount": 100}
        assert seen.ask("POST", "/api/credits/grant", json=grant, headers={**AS_ANN, "Idempotency-Key": "g"}).is_success
        body = {"kind": "image", "prompt": "a lighthouse", "params": {"width": 256, "height": 256}}
        accepted = seen.ask("POST", "/api/jobs?", json=body, headers={**AS_ANN, "Prefer": "wait=30"})
        assert accepted.status_code == 200, accepted.text
        job = accepted.json()
        assert accepted.headers["Location"] == f"{seen.url}/api/jobs/{job['id']}"
        picture = seen.http.get(job["assets"][0]["url"])
        assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/png")
        assert job["assets"][0]["url"].startswith(f"{seen.url}/api/assets/")
        uploaded = seen.ask("POST", "/api/uploads", files={"file": tiny_png()}, headers=AS_ANN)
        assert uploaded.status_code == 201
        assert "safelight" in seen.ask("GET", "/").text.lower()


def test_a_session_is_for_that_path_and_travels_by_tls_only(made: Installation, tmp_path: Path, port: int) -> None:
    with outside(made, tmp_path / "nginx", port) as seen:
        signed_in = seen.ask("POST", "/api/session", json={"key": KEY})
        assert signed_in.is_success, signed_in.text
        cookie = signed_in.headers["Set-Cookie"]
        assert {"Secure", "HttpOnly", "Path=/safelight"} <= {part.strip() for part in cookie.split(";")}
        assert seen.ask("GET", "/api/jobs").status_code == 200


def test_streams_and_sockets_outlive_the_proxys_patience(made: Installation, tmp_path: Path, port: int) -> None:
    """A waiting job says nothing for longer than the proxy waits, but for comments and pings."""
    quick = {"proxy_read_timeout 60s": "proxy_read_timeout 25s", "proxy_send_timeout 60s": "proxy_send_timeout 25s"}
    with outside(made, tmp_path / "nginx", port, **quick) as seen:
        grant = {"user_id": "ann", "amount": 100}
        seen.ask("POST", "/api/credits/grant", json=grant, headers={**AS_ANN, "Idempotency-Key": "g"})
        later = {"kind": "image", "prompt": "later", "start_at": "2099-01-01T00:00:00Z"}
        job_id = seen.ask("POST", "/api/jobs", json=later, headers=AS_ANN).json()["id"]
        address = f"wss{seen.url.removeprefix('https')}/api/ws"
        with (
            connect(address, ssl=seen.tls, proxy=None, additional_headers=AS_ANN) as socket,
            seen.http.stream("GET", f"{seen.url}/api/jobs/{job_id}/events", headers=AS_ANN) as stream,
        ):
            lines = stream.iter_lines()
            assert next(lines) == "event: snapshot"
            socket.send(json.dumps({"subscribe": f"job:{job_id}"}))
            assert [json.loads(socket.recv(10)).get(name) for name in ("subscribed", "type")] == [
                f"job:{job_id}",
                "snapshot",
            ]
            comments = 0
            while comments < 2:  # thirty seconds
                comments += next(lines).startswith(":")
            seen.ask("POST", f"/api/jobs/{job_id}/cancel", headers=AS_ANN)
            assert "event: job.canceled" in list(lines)
            assert json.loads(socket.recv(10))["type"] == "job.canceled"
