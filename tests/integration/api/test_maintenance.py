"""Maintenance mode: no new jobs at any door, those that were accepted go on."""

from __future__ import annotations

import pytest

from safelight.services import closing_time
from tests.integration.api.problems import problem
from tests.support.by_hand import HandWorker
from tests.support.door import Door

WHY = "New disks are put in until ten."


def close(door: Door) -> None:
    door.run(door.safelight.database.write(closing_time.begin, WHY))
    door.safelight.desk.closing_time._read_at = None


def reopen(door: Door) -> None:
    assert door.run(door.safelight.database.write(closing_time.end))
    door.safelight.desk.closing_time._read_at = None


def test_new_jobs_are_refused_with_the_message_and_taken_again(door: Door) -> None:
    close(door)
    answer = door.post("/api/jobs", json={"kind": "image", "prompt": "a lighthouse"})
    assert problem(answer, 503, "maintenance")["detail"] == WHY
    assert answer.headers["Retry-After"] == "60"
    health = door.get("/api/health").json()
    assert health["maintenance"]["message"] == WHY
    assert door.get("/api/live").status_code == 200
    reopen(door)
    assert door.submit()["status"] == "pending"
    assert door.get("/api/health").json()["maintenance"] is None


@pytest.mark.parametrize("path", ["image-generation", "text-generation", "batch-generation"])
def test_no_route_goes_round_it(sqlite_door: Door, path: str) -> None:
    close(sqlite_door)
    body = {"prompts": ["a"]} if path == "batch-generation" else {"prompt": "a"}
    problem(sqlite_door.post(f"/api/jobs/{path}", json=body), 503, "maintenance")


def test_what_was_accepted_goes_on_and_can_be_canceled(door: Door) -> None:
    running, waiting = door.submit()["id"], door.submit()["id"]
    worker = HandWorker(door.safelight.database, door.run)
    claimed = worker.claim()
    close(door)
    assert worker.complete(claimed)
    assert door.show(running)["status"] == "completed"
    assert door.post(f"/api/jobs/{waiting}/cancel").status_code == 200
    problem(door.post(f"/api/jobs/{waiting}/retry"), 503, "maintenance")


def test_a_repeated_key_gets_its_job_all_the_same(door: Door) -> None:
    body, headers = {"kind": "image", "prompt": "a lighthouse"}, {"Idempotency-Key": "k"}
    made = door.post("/api/jobs", json=body, headers=headers).json()
    close(door)
    again = door.post("/api/jobs", json=body, headers=headers)
    assert (again.status_code, again.json()["id"]) == (202, made["id"])
