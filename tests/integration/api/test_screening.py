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
