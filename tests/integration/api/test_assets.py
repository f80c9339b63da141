"""Files: whole, in ranges, cached; only for those who hold a signed address that has not expired."""

from __future__ import annotations

import hashlib
import io
import time
from typing import Any

import httpx
import pytest
from PIL import Image

from safelight.storage import signing
from tests.integration.api.problems import problem
from tests.support.by_hand import HandWorker
from tests.support.door import Door


@pytest.fixture(scope="module")
def job(shared_door: Door) -> dict[str, Any]:
    """A completed job with two pictures of 320 by 256."""
    body = {"kind": "image", "prompt": "a fox", "params": {"width": 320, "height": 256, "n": 2, "seed": 1}}
    job_id = shared_door.post("/api/jobs", json=body).json()["id"]
    with shared_door.working():
        job = shared_door.until_ended(job_id)
    assert job["status"] == "completed", job["error"]
    return job


@pytest.fixture(scope="module")
def asset(job: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = job["assets"][0]
    return first


@pytest.fixture(scope="module")
def whole(shared_door: Door, asset: dict[str, Any]) -> bytes:
    return shared_door.get(asset["url"]).content


def test_a_file_is_what_its_job_says(shared_door: Door, job: dict[str, Any]) -> None:
    assert len({asset["sha256"] for asset in job["assets"]}) == 2
    for asset in job["assets"]:
        answer = shared_door.get(asset["url"])
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == asset["mime"] == "image/png"
        assert int(answer.headers["Content-Length"]) == len(answer.content) == asset["bytes"]
        assert hashlib.sha256(answer.content).hexdigest() == asset["sha256"]
        assert Image.open(io.BytesIO(answer.content)).size == (asset["width"], asset["height"]) == (320, 256)
        assert (asset["ai_generated"], asset["recovered"]) == (False, False)
        assert answer.headers["Content-Disposition"].startswith("inline; filename=")
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert "private" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_thumbnail_is_a_small_webp(shared_door: Door, asset: dict[str, Any]) -> None:
    answer = shared_door.get(asset["thumbnail_url"])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(answer.content)).format == "WEBP"
    assert len(answer.content) < asset["bytes"]
    assert answer.headers["ETag"] != shared_door.get(asset["url"]).headers["ETag"]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, None),
        ("bytes=-50", -50, None),
        ("bytes=10-99999999999999999999", 10, None),
        ("bytes=-99999999999999999999", 0, None),
        ("Bytes = 5 - 9", 5, 10),
    ],
)
def test_a_range_is_answered_with_those_bytes(
    shared_door: Door, asset: dict[str, Any], whole: bytes, asked: str, start: int, end: int | None
) -> None:
    answer = shared_door.get(asset["url"], headers={"Range": asked})
    wanted = whole[start:end]
    first = start if start >= 0 else len(whole) + start
    assert (answer.status_code, answer.content) == (206, wanted)
    assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(wanted) - 1}/{len(whole)}"
    assert int(answer.headers["Content-Length"]) == len(wanted)


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=99999999999999999999-", "bytes=-0"])
def test_a_range_beyond_the_file_is_refused_with_its_size(
    shared_door: Door, asset: dict[str, Any], whole: bytes, asked: str
) -> None:
    answer = shared_door.get(asset["url"], headers={"Range": asked})
    assert answer.headers["Content-Range"] == f"bytes */{len(whole)}"
    problem(answer, 416, "invalid_request")


@pytest.mark.parametrize("asked", ["bytes=9-5", "bytes=a-b", "bytes", "lines=1-2", "bytes=0-1,5-6", "bytes=--1", ""])
def test_a_range_without_sense_is_answered_with_the_whole(
    shared_door: Door, asset: dict[str, Any], whole: bytes, asked: str
) -> None:
    answer = shared_door.get(asset["url"], headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, whole)


def test_a_range_of_another_version_is_answered_with_the_whole(
    shared_door: Door, asset: dict[str, Any], whole: bytes
) -> None:
    etag = shared_door.get(asset["url"]).headers["ETag"]
    same = shared_door.get(asset["url"], headers={"Range": "bytes=0-9", "If-Range": etag})
    assert (same.status_code, same.content) == (206, whole[:10])
    for other in ('"other"', f"W/{etag}", "Sat, 01 Jan 2050 00:00:00 GMT"):
        answer = shared_door.get(asset["url"], headers={"Range": "bytes=0-9", "If-Range": other})
        assert (answer.status_code, answer.content) == (200, whole), other


def test_a_file_somebody_has_is_not_sent_again(shared_door: Door, asset: dict[str, Any]) -> None:
    for url in (asset["url"], asset["thumbnail_url"]):
        etag = shared_door.get(url).headers["ETag"]
        for header in (etag, f"W/{etag}", f'"x", {etag}', "*"):
            answer = shared_door.get(url, headers={"If-None-Match": header, "Range": "bytes=0-9"})
            assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
        assert shared_door.get(url, headers={"If-None-Match": etag[:-2] + '"'}).status_code == 200


def test_head_tells_of_a_file_without_sending_it(shared_door: Door, asset: dict[str, Any]) -> None:
    answer = shared_door.request("HEAD", asset["url"], headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) == asset["bytes"]


def test_only_the_right_signature_for_this_very_address_opens_it(
    shared_door: Door, job: dict[str, Any], asset: dict[str, Any]
) -> None:
    url = httpx.URL(asset["url"])
    exp, sig = url.params["exp"], url.params["sig"]
    other = httpx.URL(job["assets"][1]["url"])
    later = str(int(exp) + 3600)
    flipped = ("B" if sig[0] == "A" else "A") + sig[1:]
    refused = [
        url.path,
        f"{url.path}?exp={exp}",
        f"{url.path}?sig={sig}",
        f"{url.path}?exp={exp}&sig={flipped}",
        f"{url.path}?exp={exp}&sig={sig[:-1]}",
        f"{url.path}?exp={exp}&sig=",
        f"{url.path}?exp={later}&sig={sig}",
        f"{url.path}?exp=%2B{exp}&sig={sig}",
        f"{url.path}?exp=soon&sig={sig}",
        f"{url.path}?exp={exp}&sig=%F0%9F%92%A1",
        f"{other.path}?exp={exp}&sig={sig}",
        f"{url.path}/thumbnail?exp={exp}&sig={sig}",
        httpx.URL(asset["thumbnail_url"]).copy_with(path=url.path),
    ]
    for address in refused:
        assert "GET /api/jobs/{id}" in problem(shared_door.get(address), 403, "forbidden")["remedy"]
    assert shared_door.get(f"{url.path}?sig={sig}&exp={exp}").status_code == 200


def test_an_address_expires(shared_door: Door, asset: dict[str, Any]) -> None:
    secret, path = shared_door.safelight.secret, httpx.URL(asset["url"]).path
    for seconds, status in ((-1, 403), (60, 200)):
        address = signing.signed_url(secret, base="", path=path, expires_at=int(time.time()) + seconds)
        assert shared_door.get(address).status_code == status


def test_a_signed_address_of_nothing_is_not_found(shared_door: Door) -> None:
    for name in ("01890000-0000-7000-8000-000000000000", "nothing"):
        path = f"/api/assets/{name}"
        address = signing.signed_url(shared_door.safelight.secret, base="", path=path, expires_at=int(time.time()) + 60)
        problem(shared_door.get(address), 404, "not_found")


def test_a_file_that_was_taken_away_is_gone(sqlite_door: Door) -> None:
    with sqlite_door.working():
        job = sqlite_door.until_ended(sqlite_door.submit()["id"])
    root = sqlite_door.safelight.store.root
    assert root is not None
    for stored in root.rglob("*.png"):
        stored.unlink()
    problem(sqlite_door.get(job["assets"][0]["url"]), 410, "gone")


def test_a_preview_can_be_seen_while_its_job_runs(sqlite_door: Door) -> None:
    worker = HandWorker(sqlite_door.safelight.database, sqlite_door.run)
    job_id = sqlite_door.submit()["id"]
    claimed = worker.claim()
    worker.report(claimed, 0.5, preview="UklGRg==")
    url = sqlite_door.safelight.links_for("http://127.0.0.1").preview(job_id, 3)
    shown = sqlite_door.get(url)
    assert (shown.status_code, shown.headers["Content-Type"], shown.content) == (200, "image/webp", b"RIFF")
    problem(sqlite_door.get(httpx.URL(url).path), 403, "forbidden")
    worker.complete(claimed)
    problem(sqlite_door.get(url), 410, "gone")


def test_a_file_that_is_not_what_was_delivered_is_not_handed_out(sqlite_door: Door) -> None:
    with sqlite_door.working():
        job = sqlite_door.until_ended(sqlite_door.submit()["id"])
    (asset,) = job["assets"]
    root = sqlite_door.safelight.store.root
    assert root is not None
    (path,) = (path for path in root.rglob("*.png"))
    path.write_bytes(path.read_bytes()[:-100])
    assert "not what was delivered" in problem(sqlite_door.get(asset["url"]), 410)["detail"]
