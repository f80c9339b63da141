"""Safelight behind a real Caddy that puts it under a path, configured as docs/proxy.md says."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.sync.client import connect

from safelight.testing.throwaway import NoServer, free_port
from tests.support.caddy import caddy
from tests.support.server import SMALL, Installation, installation

KEY = "sk-test-0123456789abcdef0123456789abcdef"
AS_ANN = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[str]:
    """Where users see it; ann has credits."""
    port = free_port()
    settings = {
        "trusted_proxies": "127.0.0.1",
        "public_url": f"http://127.0.0.1:{port}/safelight",
        "api_keys": f"{KEY}:ann:jobs+read+admin",
    }
    with installation(tmp_path / "inside", **settings) as made:
        made.serve()
        granted(made)
        inner = urlsplit(made.url).port
        assert inner is not None
        try:
            with caddy(tmp_path / "caddy", port, inner) as url:
                yield url
        except NoServer as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(error))


def granted(made: Installation) -> None:
    grant = {"user_id": "ann", "amount": 100}
    answer = made.request("POST", "/api/credits/grant", json=grant, headers={**AS_ANN, "Idempotency-Key": "g"})
    assert answer.is_success, answer.text


def test_jobs_pictures_and_the_studio_are_found_under_the_path(outside: str) -> None:
    body = {"kind": "image", "model": "procedural", "prompt": "a lighthouse", "params": SMALL}
    with httpx.Client(headers=AS_ANN, trust_env=False, timeout=30) as http:
        made = http.post(f"{outside}/api/jobs", json=body, headers={"Prefer": "wait=20"})
        assert made.status_code == 200, made.text
        assert made.headers["Location"] == f"{outside}/api/jobs/{made.json()['id']}"
        picture = http.get(made.json()["assets"][0]["url"])
        assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/png")
        assert "safelight" in http.get(f"{outside}/").text.lower()


def test_news_come_through_as_they_happen(outside: str) -> None:
    later = {"kind": "image", "model": "procedural", "prompt": "later", "start_at": "2099-01-01T00:00:00Z"}
    with httpx.Client(headers=AS_ANN, trust_env=False, timeout=30) as http:
        job = http.post(f"{outside}/api/jobs", json=later).json()
        assert job["urls"]["socket"] == f"ws{outside.removeprefix('http')}/api/ws"
        with (
            connect(job["urls"]["socket"], proxy=None, additional_headers=AS_ANN) as socket,
            http.stream("GET", f"{outside}/api/jobs/{job['id']}/events") as stream,
        ):
            lines = stream.iter_lines()
            assert next(lines) == "event: snapshot"
            socket.send(json.dumps({"subscribe": f"job:{job['id']}"}))
            assert json.loads(socket.recv(10))["subscribed"] == f"job:{job['id']}"
            assert json.loads(socket.recv(10))["type"] == "snapshot"
            assert http.post(f"{outside}/api/jobs/{job['id']}/cancel").is_success
            assert "event: job.canceled" in list(lines)
            assert json.loads(socket.recv(10))["type"] == "job.canceled"
