"""Files in an object store: made, handed out by the store itself, and what is said when it does not let us in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from safelight.api.application import create_app
from safelight.domain.errors import StorageFailed
from tests.support.door import BASE, Door


@pytest.fixture
def s3_door(tmp_path: Path, sqlite_url: str, s3_url: str) -> Iterator[Door]:
    """An installation on SQLite whose files are in an S3 bucket."""
    opened = Door(tmp_path, sqlite_url, storage_url=s3_url)
    yield opened
    opened.close()


def made(door: Door) -> dict[str, Any]:
    """The asset of a job that a worker has completed."""
    job_id = door.submit("a fox")["id"]
    with door.working():
        job = door.until_ended(job_id)
    assert job["status"] == "completed", job["error"]
    asset: dict[str, Any] = job["assets"][0]
    return asset


def test_a_file_is_handed_out_by_the_store_itself_whole_and_in_ranges(s3_door: Door) -> None:
    asset = made(s3_door)
    answer = s3_door.get(asset["url"])
    assert answer.status_code == 307
    assert answer.headers["Location"].startswith("http://127.0.0.1:")
    assert "max-age=1800" in answer.headers["Cache-Control"]
    with httpx.Client(trust_env=False) as browser:
        whole = browser.get(answer.headers["Location"])
        assert hashlib.sha256(whole.content).hexdigest() == asset["sha256"]
        assert whole.headers["Content-Type"] == "image/png"
        part = browser.get(answer.headers["Location"], headers={"Range": "bytes=5-9"})
        assert (part.status_code, part.content) == (206, whole.content[5:10])
        thumbnail = browser.get(s3_door.get(asset["thumbnail_url"]).headers["Location"])
        assert thumbnail.headers["Content-Type"] == "image/webp"


def test_pages_may_show_files_of_the_store_and_of_nobody_else(s3_door: Door) -> None:
    asset = made(s3_door)
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(s3_door.get(asset["url"]).headers["Location"]))
    policy = s3_door.get("/").headers["Content-Security-Policy"]
    assert f"img-src 'self' blob: data: {origin};" in policy
    assert f"media-src 'self' blob: {origin};" in policy


def test_head_is_answered_here_because_the_address_is_signed_for_get(s3_door: Door) -> None:
    asset = made(s3_door)
    answer = s3_door.request("HEAD", asset["url"])
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == asset["bytes"]
    assert s3_door.get(asset["url"], headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_files_pass_through_where_browsers_cannot_reach_the_store(s3_door: Door) -> None:
    asset = made(s3_door)
    s3_door.safelight.settings = s3_door.settings.model_copy(update={"storage_redirect": False})
    client = httpx.AsyncClient(transport=httpx.ASGITransport(create_app(s3_door.safelight)), base_url=BASE)
    answer = s3_door.run(client.get(asset["url"], headers={"Range": "bytes=0-99"}))
    assert (answer.status_code, len(answer.content)) == (206, 100)
    s3_door.run(client.aclose())


def test_a_file_that_is_gone_from_the_bucket_is_gone_here_and_not_redirected(s3_door: Door) -> None:
    asset = made(s3_door)

    async def empty() -> None:
        store = s3_door.safelight.store
        await store.delete([file.key async for file in store.list("assets")])

    s3_door.run(empty())
    assert s3_door.get(asset["url"]).status_code == 410


def test_a_store_that_refuses_our_key_keeps_a_process_from_starting(
    s3_door: Door, s3_url: str, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    locked_out = Door(tmp_path / "other", sqlite_url, storage_url=s3_url)
    try:
        with pytest.raises(StorageFailed, match="SignatureDoesNotMatch"), locked_out.working():
            raise AssertionError("it must not start")
        check = locked_out.get("/api/ready")
        assert check.status_code == 503
        assert "SignatureDoesNotMatch" in check.json()["checks"]["storage"]["found"]
        assert {f["code"] for f in locked_out.get("/api/health").json()["findings"]} >= {"STORAGE_DENIED"}
    finally:
        locked_out.close()


def test_a_store_that_is_away_lets_a_process_start_and_wait_for_it(
    tmp_path: Path, sqlite_url: str, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    door = Door(tmp_path / "other", sqlite_url, storage_url=s3_url)
    try:
        with door.working():
            assert "cannot be reached" in door.get("/api/ready").json()["checks"]["storage"]["found"]
    finally:
        door.close()
