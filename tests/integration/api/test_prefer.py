"""`Prefer: wait=N`: one request that makes a job and brings it back ended, if that does not take too long."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from safelight.api.manner import wait_of
from safelight.api.waiting import WaitingRoom
from tests.support.door import PATIENCE_S, Door

PICTURE = {"kind": "image", "prompt": "a lighthouse", "params": {"width": 256, "height": 256, "seed": 7}}


def test_a_job_that_ends_in_time_is_answered_ended(door: Door) -> None:
    with door.working():
        answer = door.post("/api/jobs", json=PICTURE, headers={"Prefer": "respond-async, wait=30"})
        assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait=30")
        body = answer.json()
        assert (body["status"], len(body["assets"])) == ("completed", 1)
        assert body == door.show(body["id"])
        assert answer.headers["Location"] == body["urls"]["self"]
        batch = door.post("/api/jobs/batch-generation", json={"prompts": ["a", "b"]}, headers={"Prefer": "wait=30"})
        assert (batch.status_code, batch.json()["items"]["by_status"]) == (200, {"completed": 2})
        assert batch.json()["jobId"] == batch.json()["id"]


def test_a_job_that_takes_longer_is_answered_as_ever(sqlite_door: Door) -> None:
    answer = sqlite_door.post("/api/jobs", json=PICTURE, headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "wait=1")
    assert (answer.json()["status"], sqlite_door.watchers(answer.json()["id"])) == ("pending", 0)


def test_a_repeated_key_waits_for_the_job_that_is_there(door: Door) -> None:
    headers = {"Idempotency-Key": "once", "Prefer": "wait=30"}
    first = door.post("/api/jobs", json=PICTURE, headers={"Idempotency-Key": "once"})
    assert (first.status_code, "Preference-Applied" in first.headers) == (202, False)
    with door.working():
        second = door.post("/api/jobs", json=PICTURE, headers=headers)
    assert (second.status_code, second.json()["status"]) == (200, "completed")
    assert (second.json()["id"], second.headers["Idempotency-Replayed"]) == (first.json()["id"], "true")


def test_who_hangs_up_frees_the_seat_and_the_job_goes_on(sqlite_door: Door) -> None:
    door = sqlite_door
    room: WaitingRoom = door.app.state.waiting_room
    seats = room.free

    async def hang_up(base: str) -> str:
        async with httpx.AsyncClient(base_url=base) as client:
            asking = asyncio.create_task(client.post("/api/jobs", json=PICTURE, headers={"Prefer": "wait=60"}))
            async with asyncio.timeout(PATIENCE_S):
                while room.free == seats:  # noqa: ASYNC110 - nobody tells when somebody sits down
                    await asyncio.sleep(0.01)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            job: str = (await client.get("/api/jobs")).json()["jobs"][0]["id"]
            return job

    with door.listening() as base:
        job_id = door.run(hang_up(base))
        assert door.until_nobody_watches(job_id)
    assert room.free == seats
    assert door.show(job_id)["status"] == "pending"


def test_where_no_more_may_wait_the_answer_comes_at_once(sqlite_door: Door) -> None:
    sqlite_door.app.state.waiting_room = WaitingRoom(seats=0)
    answer = sqlite_door.post("/api/jobs", json=PICTURE, headers={"Prefer": "wait=60"})
    assert (answer.status_code, "Preference-Applied" in answer.headers) == (202, False)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0), ("wait=10", 10), ('Wait = "7" ; x=y', 7), ("respond-async, wait=5", 5), ("wait=61", 60),
        ("wait=999999999", 60), ("wait=0", 0), ("wait=-1", 0), ("wait=1.5", 0), ("wait", 0), ("waiting=5", 0), ("", 0),
    ],
)  # fmt: skip
def test_the_header_is_read_as_its_standard_has_it(header: Any, seconds: int) -> None:
    assert wait_of(header) == seconds
