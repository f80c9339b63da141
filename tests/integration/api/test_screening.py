"""What the operator does not allow is refused at the door, before anything is held."""

from __future__ import annotations

from dataclasses import replace

from safelight.services.screening import NamedHook, Screen
from safelight.services.word_list import WordList
from tests.support.door import Door


def test_a_refused_prompt_costs_nothing_and_makes_no_job(sqlite_door: Door) -> None:
    desk = sqlite_door.safelight.desk
    sqlite_door.safelight.desk = replace(desk, screen=Screen([NamedHook("words", WordList(["dragon"]))]))
    before = sqlite_door.get("/api/credits").json()
    answer = sqlite_door.post("/api/jobs", json={"kind": "image", "prompt": "A Dragon, sleeping"})
    assert (answer.status_code, answer.json()["code"]) == (422, "content_rejected")
    assert answer.json()["errors"] == {"prompt": ["it holds 'dragon', which is not allowed here"]}
    batch = {"prompts": ["a cat", "a dragon"], "models": ["procedural"]}
    answer = sqlite_door.post("/api/jobs/batch-generation", json=batch)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["items[1].prompt"])
    assert sqlite_door.get("/api/jobs").json()["jobs"] == []
    assert sqlite_door.get("/api/credits").json() == before
    assert sqlite_door.post("/api/jobs", json={"kind": "image", "prompt": "a cat"}).status_code == 202


def test_a_repeated_key_gets_its_job_even_if_its_prompt_is_refused_by_now(door: Door) -> None:
    job = {"kind": "image", "prompt": "a dragon"}
    batch = {"prompts": ["a cat", "a dragon"], "models": ["procedural"]}
    asked = [("/api/jobs", job, {"Idempotency-Key": "k-1"})]
    asked += [("/api/jobs/batch-generation", batch, {"Idempotency-Key": "k-2"})]
    first = [door.post(path, json=body, headers=headers) for path, body, headers in asked]
    assert [answer.status_code for answer in first] == [202, 202]
    screen = Screen([NamedHook("words", WordList(["dragon"]))])
    door.safelight.desk = replace(door.safelight.desk, screen=screen)
    again = [door.post(path, json=body, headers=headers) for path, body, headers in asked]
    assert [answer.json()["id"] for answer in again] == [answer.json()["id"] for answer in first]
    other = door.post("/api/jobs", json={**job, "prompt": "two dragons"}, headers=asked[0][2])
    assert other.json()["code"] == "idempotency_mismatch"
    assert door.post("/api/jobs", json=job).json()["code"] == "content_rejected"
