"""`GET /api/jobs/{id}/debug`: operators see everything, owners what concerns them, others nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from safelight.services.grant import Gift, grant
from tests.integration.api.problems import problem
from tests.support.door import Door
from tests.support.key_holders import holder

SHAPE = {"job", "verdict", "others", "timeline", "next", "would_start_if", "voices"}


@pytest.mark.parametrize("path", ["/api/jobs/{}/debug", "/api/health/queues/job/{}/debug"])
def test_a_waiting_job_is_explained_with_what_mends_it(door: Door, path: str) -> None:
    job = door.submit()
    answer = door.get(path.format(job["id"]))
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body.keys()) == (200, SHAPE)
    assert body["verdict"]["code"] == "NO_WORKER_FOR_QUEUE"
    assert body["verdict"]["remedy"]["command"] == "safelight worker --queue image"
    assert body["would_start_if"] == ["a worker served 'image'"]
    assert body["voices"].keys() == {"user", "developer", "operator"}
    assert job["urls"]["debug"].endswith(f"/api/jobs/{job['id']}/debug")


def test_the_remedy_followed_the_job_is_delivered(door: Door) -> None:
    job = door.submit()
    with door.working():
        door.until_ended(job["id"])
        body = door.get(f"/api/jobs/{job['id']}/debug").json()
    assert body["verdict"]["code"] == "DELIVERED"
    assert [step["stage"] for step in body["timeline"]][:3] == ["submitted", "queued", "provider"]
    assert body["next"] is None


def test_its_owner_hears_one_voice_and_nothing_of_the_inside(sqlite_door: Door) -> None:
    ann, bob, boss = (holder(sqlite_door, user, scopes) for user, scopes in _WHO)
    sqlite_door.run(sqlite_door.safelight.database.write(grant, Gift("ann", 100, "for-ann")))
    body = {"kind": "image", "prompt": "x"}
    job = sqlite_door.post("/api/jobs", json=body, headers=ann.headers).json()
    path = f"/api/jobs/{job['id']}/debug"
    mine = sqlite_door.get(path, headers=ann.headers).json()
    assert (mine.keys(), mine["voices"].keys()) == (SHAPE, {"user"})
    assert "safelight" not in json.dumps(mine["verdict"])
    assert mine["others"] == mine["would_start_if"] == []
    problem(sqlite_door.get(path, headers=bob.headers), 404, "not_found")
    assert sqlite_door.get(path, headers=boss.headers).json()["voices"].keys() == {"user", "developer", "operator"}


_WHO = (("ann", "jobs"), ("bob", "jobs"), ("boss", "jobs+read+admin"))


@pytest.mark.parametrize("name", ["01890000-0000-7000-8000-000000000000", "nonsense"])
def test_a_job_that_is_not_there_is_not_found(shared_door: Door, name: str) -> None:
    problem(shared_door.get(f"/api/jobs/{name}/debug"), 404, "not_found")
