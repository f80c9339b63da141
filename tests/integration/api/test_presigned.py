"""Uploads straight into an object store: what comes there is trusted no more than what comes through us."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from safelight.storage.keys import incoming_key
from safelight.testing.pictures import tiny_png
from tests.integration.api.problems import problem
from tests.integration.api.test_uploads import change_uploads, collect
from tests.support.door import Door


@pytest.fixture
def s3_door(tmp_path: Path, sqlite_url: str, s3_url: str) -> Iterator[Door]:
    opened = Door(tmp_path, sqlite_url, storage_url=s3_url)
    yield opened
    opened.close()


def presign(door: Door) -> dict[str, Any]:
    answer = door.post("/api/uploads/presign")
    assert answer.status_code == 201
    body: dict[str, Any] = answer.json()
    return body


def put(address: dict[str, Any], data: bytes) -> None:
    with httpx.Client(trust_env=False) as browser:
        assert browser.request(address["method"], address["url"], content=data).is_success


def complete(door: Door, address: dict[str, Any]) -> httpx.Response:
    return door.post(address["complete"].removeprefix("http://127.0.0.1"))


def stored(door: Door) -> list[str]:
    async def keys() -> list[str]:
        return [file.key async for file in door.safelight.store.list("uploads")]

    return door.run(keys())


def test_what_was_put_at_the_address_is_an_upload_once_it_was_looked_at(s3_door: Door) -> None:
    address = presign(s3_door)
    problem(s3_door.get(f"/api/uploads/{address['id']}"), 404)
    put(address, tiny_png())
    answer = complete(s3_door, address)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["id"], body["mime"], body["bytes"]) == (address["id"], "image/png", len(tiny_png()))
    assert complete(s3_door, address).json() == body
    assert s3_door.get(f"/api/uploads/{body['id']}").json() == body
    assert [key for key in stored(s3_door) if key == incoming_key(body["id"])] == []


def test_bytes_that_are_exchanged_afterwards_are_not_what_jobs_use(s3_door: Door) -> None:
    address = presign(s3_door)
    put(address, tiny_png())
    complete(s3_door, address)
    put(address, b"<script>alert(1)</script>")
    (key,) = [key for key in stored(s3_door) if key != incoming_key(address["id"])]
    assert s3_door.run(s3_door.safelight.store.get(key)) == tiny_png()


def test_before_anything_came_there_is_nothing_to_complete(s3_door: Door) -> None:
    problem(complete(s3_door, presign(s3_door)), 409, "conflict")
    problem(s3_door.post("/api/uploads/nonsense/complete"), 404)


@pytest.mark.parametrize("data", [b"", b"<html>", b"GIF89a" + b"\0" * 50, tiny_png()[:-20]])
def test_what_is_no_picture_is_refused_and_another_may_be_put_there(s3_door: Door, data: bytes) -> None:
    address = presign(s3_door)
    put(address, data)
    assert "file" in problem(complete(s3_door, address), 422, "invalid_params")["errors"]
    put(address, tiny_png())
    assert complete(s3_door, address).status_code == 200


def test_what_is_too_large_is_refused_by_its_size_alone(s3_door: Door) -> None:
    object.__setattr__(s3_door.safelight.desk.intake.rules, "most_bytes", 100)
    address = presign(s3_door)
    put(address, tiny_png() + bytes(100))
    answer = problem(complete(s3_door, address), 422, "invalid_params")
    assert "at most 100" in answer["detail"]
    assert s3_door.safelight.desk.intake.memory.held == 0


def test_an_address_counts_like_the_largest_picture_until_it_is_completed(s3_door: Door) -> None:
    rules = s3_door.safelight.desk.intake.rules
    object.__setattr__(rules, "quota_bytes", rules.most_bytes + 1000)
    address = presign(s3_door)
    problem(s3_door.post("/api/uploads/presign"), 429, "rate_limited")
    put(address, tiny_png())
    complete(s3_door, address)
    presign(s3_door)


def test_other_peoples_addresses_are_not_there(s3_door: Door) -> None:
    address = presign(s3_door)
    put(address, tiny_png())
    change_uploads(s3_door, user_id="somebody")
    problem(complete(s3_door, address), 404)


def test_what_nobody_completes_goes_with_what_was_put_there(s3_door: Door) -> None:
    address = presign(s3_door)
    put(address, tiny_png())
    change_uploads(s3_door, expires_at=1.0)
    assert collect(s3_door) == 1
    assert stored(s3_door) == []


def test_an_upload_that_has_not_come_in_is_no_input(s3_door: Door) -> None:
    address = presign(s3_door)
    body = {"kind": "upscale", "model": "lanczos", "inputs": [{"upload": address["id"]}]}
    answer = problem(s3_door.post("/api/jobs", json=body), 422, "invalid_params")
    assert "not come in yet" in answer["errors"]["inputs[0].upload"][0]
    put(address, tiny_png())
    complete(s3_door, address)
    with s3_door.working():
        job = s3_door.until_ended(s3_door.post("/api/jobs", json=body).json()["id"])
    assert job["status"] == "completed", job["error"]
