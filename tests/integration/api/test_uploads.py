"""Uploads: a picture comes in whole or not at all, belongs to one user, and goes when nobody needs it."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import sqlalchemy as sa

from safelight.maintenance.expired_uploads import ExpiredUploads
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx
from safelight.testing.pictures import SIDE_PX, tiny_png
from tests.integration.api.problems import problem
from tests.support.door import Door

SOME_ID = "01890000-0000-7000-8000-000000000000"
BOUNDARY = "edge"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


class _Row(NamedTuple):
    number: int


_ROWS = Query(sa.select(tables.uploads.c.number), _Row)


def rows(tx: Tx) -> int:
    return len(tx.all(_ROWS))


def part(data: bytes, name: str = "file", filename: str = "a.png", mime: str = "image/png") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
    return head.encode() + f"Content-Type: {mime}\r\n\r\n".encode() + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def upload(door: Door, data: bytes | None = None, **how: Any) -> httpx.Response:
    return door.post("/api/uploads", content=form(part(data or tiny_png(), **how)), headers=FORM)


def files(door: Door) -> list[Path]:
    folder = door.settings.data_dir / "assets" / "uploads"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def change_uploads(door: Door, **values: Any) -> None:
    change = Change(sa.update(tables.uploads).values(**values))
    door.run(door.safelight.database.write(lambda tx: tx.run(change)))


def collect(door: Door) -> int:
    return door.run(ExpiredUploads(door.safelight.database, door.safelight.store).run_once())


def test_an_upload_is_answered_with_what_it_is(door: Door) -> None:
    answer = upload(door)
    assert answer.status_code == 201
    body = answer.json()
    assert body["mime"] == "image/png"
    assert (body["width"], body["height"], body["bytes"]) == (SIDE_PX, SIDE_PX, len(tiny_png()))
    assert body["expires_at"].endswith("Z")
    assert answer.headers["Location"].endswith(f"/api/uploads/{body['id']}")
    assert door.get(f"/api/uploads/{body['id']}").json() == body
    (kept,) = files(door)
    assert kept.read_bytes() == tiny_png()


@pytest.mark.parametrize("filename", ["../../etc/passwd", "/etc/passwd", "a\\..\\b.png", "x.html", "", "\u202egnp.exe"])
def test_the_files_name_means_nothing(door: Door, filename: str) -> None:
    assert upload(door, filename=filename).status_code == 201
    (kept,) = files(door)
    assert kept.name.endswith(".png")
    assert kept.parent == door.settings.data_dir / "assets" / "uploads"


def test_the_same_picture_twice_is_one_upload(door: Door) -> None:
    assert upload(door).json()["id"] == upload(door).json()["id"]
    assert upload(door, tiny_png(7)).json()["id"] != upload(door).json()["id"]
    assert len(files(door)) == 2


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (b"GIF89a" + b"\0" * 100, "image/gif"),
        (b"<html><script>alert(1)</script></html>", "image/png"),
        (tiny_png(), "image/jpeg"),
        (tiny_png(), "text/html"),
        (tiny_png()[:-20], "image/png"),
        (b"x", "image/png"),
        (b"", "image/png"),
    ],
)
def test_what_is_no_picture_or_says_it_is_another_is_refused(sqlite_door: Door, data: bytes, mime: str) -> None:
    content = form(part(data, mime=mime))
    answer = sqlite_door.post("/api/uploads", content=content, headers=FORM)
    assert "file" in problem(answer, 422, "invalid_params")["errors"]
    assert files(sqlite_door) == []


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (form(part(tiny_png(), name="picture")), FORM, 422),
        (form(part(tiny_png()), part(tiny_png())), FORM, 422),
        (form(), FORM, 422),
        (form(part(tiny_png()))[:-8], FORM, 400),
        (part(tiny_png())[:-30], FORM, 400),
        (b"", FORM, 400),
        (tiny_png(), FORM, 400),
        (tiny_png(), {"Content-Type": "image/png"}, 400),
        (b"{}", {"Content-Type": "application/json"}, 400),
        (form(part(tiny_png())), {"Content-Type": "multipart/form-data"}, 400),
        (form(part(tiny_png())), {"Content-Type": f"multipart/form-data; boundary={'b' * 3000}"}, 400),
        (form(part(tiny_png(), filename="f" * 100_000)), FORM, 400),
    ],
)
def test_a_body_that_is_no_form_with_one_picture_is_refused(
    sqlite_door: Door, content: bytes, headers: dict[str, str], status: int
) -> None:
    problem(sqlite_door.post("/api/uploads", content=content, headers=headers), status)
    assert files(sqlite_door) == []


def test_what_is_too_large_is_refused_before_it_is_read(sqlite_door: Door) -> None:
    most = sqlite_door.settings.upload_max_bytes
    headers = FORM | {"Content-Length": str(most * 2)}
    problem(sqlite_door.post("/api/uploads", content=b"", headers=headers), 413, "too_large")


def test_an_endless_body_is_left_at_the_limit(sqlite_door: Door) -> None:
    most, sent = sqlite_door.settings.upload_max_bytes, 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield part(tiny_png()[:-20])[:-2]
        while True:
            sent += 2**18
            yield bytes(2**18)

    answer = sqlite_door.post("/api/uploads", content=endless(), headers=FORM)
    problem(answer, 413, "too_large")
    assert sent < most + 2**20
    assert answer.headers["Connection"] == "close"
    assert sqlite_door.safelight.desk.intake.memory.held == 0


def test_what_is_no_picture_is_sent_away_after_its_first_bytes(sqlite_door: Door) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield part(b"MZ" + bytes(100))[:-2]
        while True:
            sent += 2**18
            yield bytes(2**18)

    problem(sqlite_door.post("/api/uploads", content=endless(), headers=FORM), 422)
    assert sent <= 2**19


def test_other_peoples_uploads_are_not_there(door: Door) -> None:
    upload_id = upload(door).json()["id"]
    change_uploads(door, user_id="somebody")
    for address in (upload_id, SOME_ID, "nonsense", "..%2F..%2Fetc%2Fpasswd"):
        problem(door.get(f"/api/uploads/{address}"), 404)
        problem(door.request("DELETE", f"/api/uploads/{address}"), 404)
    assert len(files(door)) == 1


def test_an_upload_that_is_taken_back_goes_with_its_file(door: Door) -> None:
    upload_id = upload(door).json()["id"]
    assert door.request("DELETE", f"/api/uploads/{upload_id}").status_code == 204
    problem(door.get(f"/api/uploads/{upload_id}"), 404)
    problem(door.request("DELETE", f"/api/uploads/{upload_id}"), 404)
    assert collect(door) == 1
    assert files(door) == []
    assert upload(door).json()["id"] != upload_id


def test_unused_uploads_go_after_their_time_and_others_stay(door: Door) -> None:
    upload(door)
    assert collect(door) == 0
    change_uploads(door, expires_at=1.0)
    fresh = upload(door, tiny_png(9)).json()["id"]
    assert collect(door) == 1
    assert [path.name[:36] for path in files(door)] == [fresh]


def test_what_is_uploaded_again_lives_a_day_from_then(door: Door) -> None:
    upload_id = upload(door).json()["id"]
    change_uploads(door, expires_at=1.0)
    assert upload(door).json()["id"] == upload_id
    assert collect(door) == 0


def test_unused_uploads_of_one_user_have_a_limit_together(door: Door) -> None:
    intake = door.safelight.desk.intake
    object.__setattr__(intake.rules, "quota_bytes", len(tiny_png()) + 10)
    first = upload(door).json()["id"]
    answer = problem(upload(door, tiny_png(3)), 429, "rate_limited")
    assert "DELETE /api/uploads" in answer["remedy"]
    assert upload(door).json()["id"] == first
    door.request("DELETE", f"/api/uploads/{first}")
    assert upload(door, tiny_png(3)).status_code == 201


def test_two_uploads_at_once_do_not_both_take_what_is_left_of_the_limit(door: Door) -> None:
    intake = door.safelight.desk.intake
    object.__setattr__(intake.rules, "quota_bytes", len(tiny_png()) + 10)

    async def both() -> list[Any]:
        looked_at = [await intake.look_at(tiny_png(shade), "") for shade in (1, 2)]
        kept = [intake.keep("local", picture) for picture in looked_at]
        return await asyncio.gather(*kept, return_exceptions=True)

    results = door.run(both())
    assert sorted(isinstance(result, Exception) for result in results) == [False, True]


def test_too_much_at_one_time_is_sent_away(sqlite_door: Door) -> None:
    memory = sqlite_door.safelight.desk.intake.memory
    memory.held = memory._limit
    problem(upload(sqlite_door), 503, "unavailable")
    memory.held = 0
    assert upload(sqlite_door).status_code == 201


def test_a_file_that_was_lost_is_healed_by_the_same_upload(sqlite_door: Door) -> None:
    upload(sqlite_door)
    (kept,) = files(sqlite_door)
    kept.write_bytes(b"")
    upload(sqlite_door)
    assert kept.read_bytes() == tiny_png()


def test_what_was_reserved_but_never_stored_goes_too(door: Door) -> None:
    upload(door)
    change_uploads(door, stored_at=None, expires_at=1.0)
    assert collect(door) == 1
    assert files(door) == []


def test_on_a_local_disk_there_are_no_addresses_to_upload_to(sqlite_door: Door) -> None:
    answer = problem(sqlite_door.post("/api/uploads/presign"), 409, "conflict")
    assert "multipart" in answer["remedy"]


def test_nothing_is_left_of_a_refused_upload(door: Door) -> None:
    upload(door, b"no picture")
    assert door.run(door.safelight.database.read(rows)) == 0


def test_a_connection_that_breaks_in_the_middle_leaves_nothing_behind(sqlite_door: Door, logs: io.StringIO) -> None:
    whole = form(part(tiny_png() + bytes(200_000)))
    head = f"POST /api/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM['Content-Type']}\r\n"
    head += f"Content-Length: {len(whole)}\r\n\r\n"
    with sqlite_door.listening() as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head.encode() + whole[:100_000])
            held = sqlite_door.safelight.desk.intake.memory
            sqlite_door.run(until(lambda: held.held > 50_000))
        sqlite_door.run(until(lambda: held.held == 0))
        assert httpx.get(f"{url}/api/live", trust_env=False).status_code == 200
    assert files(sqlite_door) == []
    assert "request_crashed" not in logs.getvalue()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - nobody tells when bytes have come
            await asyncio.sleep(0.01)
