"""Scenes and characters: jobs found by their labels, looked at again and again until they have ended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api.problems import problem
from tests.support.by_hand import HandWorker
from tests.support.door import Door

CHAPTER = "/api/v1/chapters/ch-1/images"
SCENE = f"{CHAPTER}/scenes/3"
ASKED = {"scene_description": "A lighthouse in a storm", "style": "watercolour", "script_id": "s-9"}


@pytest.fixture
def worker(door: Door) -> HandWorker:
    return HandWorker(door.safelight.database, door.run)


def draw(door: Door, path: str = SCENE, **body: Any) -> dict[str, Any]:
    answer = door.post(path, json=body or ASKED)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_scene_is_asked_for_and_found_again(door: Door, worker: HandWorker) -> None:
    problem(door.get(f"{SCENE}/status"), 404, "not_found")
    asked = draw(door)
    assert asked["task_id"] == asked["record_id"]
    assert (asked["status"], asked["scene_number"], asked["retry_count"]) == ("queued", 3, 0)
    assert isinstance(asked["estimated_time_seconds"], int)
    job = door.show(asked["task_id"])
    assert job["prompt"] == "A lighthouse in a storm, watercolour"
    assert job["labels"] == {"chapter_id": "ch-1", "scene_number": "3", "image_type": "scene", "script_id": "s-9"}
    status = door.get(f"{SCENE}/status")
    assert (status.json()["status"], status.json()["record_id"]) == ("pending", asked["record_id"])
    assert status.headers["Retry-After"] == "3"
    claimed = worker.claim()
    assert door.get(f"{SCENE}/status").json()["status"] == "in_progress"
    worker.complete(claimed)
    done = door.get(f"{SCENE}/status")
    body = done.json()
    assert (body["status"], body["script_id"], body["error_message"]) == ("completed", "s-9", None)
    assert body["image_url"].startswith("http")
    assert body["generation_time_seconds"] >= 0
    assert "Retry-After" not in done.headers


def test_asking_where_it_is_costs_a_304_while_nothing_changes(door: Door, worker: HandWorker) -> None:
    draw(door)
    etag = door.get(f"{SCENE}/status").headers["ETag"]
    same = door.get(f"{SCENE}/status", headers={"If-None-Match": etag})
    assert (same.status_code, same.content) == (304, b"")
    worker.claim()
    assert door.get(f"{SCENE}/status", headers={"If-None-Match": etag}).status_code == 200


def test_the_newest_picture_is_the_scenes_and_tries_are_counted(door: Door, worker: HandWorker) -> None:
    first = draw(door)
    worker.hand_back(worker.claim())
    worker.claim()
    assert door.get(f"{SCENE}/status").json()["retry_count"] == door.show(first["task_id"])["attempt"] - 1
    second = draw(door, custom_prompt="Just this", scene_description="not this")
    found = door.get(f"{SCENE}/status").json()
    assert (found["record_id"], found["prompt"]) == (second["record_id"], "Just this")


def test_a_failed_or_canceled_one_says_why_and_what_went_back(door: Door, worker: HandWorker) -> None:
    draw(door)
    worker.fail(worker.claim())
    failed = door.get(f"{SCENE}/status").json()
    assert (failed["status"], failed["error_message"]) == ("failed", "No.")
    assert failed["credits"]["released"] > 0
    canceled = draw(door)
    door.post(f"/api/jobs/{canceled['task_id']}/cancel")
    assert door.get(f"{SCENE}/status").json()["error_message"] == "canceled"


def test_a_chapter_lists_all_its_pictures_and_hides_nothing_unfinished(door: Door) -> None:
    old = draw(door)["task_id"]
    newer = [draw(door, f"{CHAPTER}/scenes/{n}")["task_id"] for n in range(4, 8)]
    for job_id in newer:
        door.post(f"/api/jobs/{job_id}/cancel")
    draw(door, "/api/v1/chapters/ch-2/images/scenes/3")
    page = door.get(f"{CHAPTER}?limit=2").json()
    assert (page["chapter_id"], page["total_count"]) == ("ch-1", 5)
    assert [each["record_id"] for each in page["images"]] == [newer[3], newer[2], old]
    rest = door.get(CHAPTER, params={"limit": 2, "cursor": page["nextCursor"]}).json()
    assert [each["record_id"] for each in rest["images"]] == [newer[1], newer[0]]


@pytest.mark.parametrize("labels", [{}, {"scene_number": "three"}, {"scene_number": "-1"}, {"scene_number": ""}])
def test_a_chapter_lists_pictures_that_other_doors_labelled(door: Door, labels: dict[str, str]) -> None:
    made = door.submit(labels={"chapter_id": "ch-1", **labels})["id"]
    answer = door.get(CHAPTER)
    assert answer.status_code == 200, answer.text
    assert [(each["record_id"], each["scene_number"]) for each in answer.json()["images"]] == [(made, None)]


def test_characters_have_pictures_too(door: Door) -> None:
    path = "/api/v1/characters/hero/images"
    asked = draw(door, path, description="A keeper with a lamp")
    assert asked["character_id"] == "hero"
    assert door.show(asked["task_id"])["labels"] == {"character_id": "hero", "image_type": "character"}
    assert door.get(f"{path}/status").json()["record_id"] == asked["record_id"]


def test_the_same_key_is_the_same_picture(door: Door) -> None:
    made = [door.post(SCENE, json=ASKED, headers={"Idempotency-Key": "k"}).json()["task_id"] for _ in "ab"]
    assert made[0] == made[1]


def test_a_door_translates_only(sqlite_door: Door) -> None:
    """The same job as one that was submitted with these labels."""
    by_door = sqlite_door.show(draw(sqlite_door, scene_description="x")["task_id"])
    body = {"kind": "image", "prompt": "x", "labels": by_door["labels"]}
    plain = sqlite_door.show(sqlite_door.post("/api/jobs", json=body).json()["id"])
    same = ("kind", "model", "queue", "prompt", "labels", "priority", "max_attempts", "credits")
    assert {name: by_door[name] for name in same} == {name: plain[name] for name in same}
    assert by_door["params"] | {"seed": 0} == plain["params"] | {"seed": 0}


NO_SCENES = [f"{CHAPTER}/scenes/-1", f"{CHAPTER}/scenes/three", f"/api/v1/chapters/{'x' * 257}/images/scenes/1"]


@pytest.mark.parametrize("path", NO_SCENES)
def test_what_names_no_scene_is_refused(sqlite_door: Door, path: str) -> None:
    assert sqlite_door.post(path, json=ASKED).status_code == 422


def test_a_shape_that_the_model_does_not_take_is_refused_by_name(sqlite_door: Door) -> None:
    refused = problem(sqlite_door.post(SCENE, json={**ASKED, "aspect_ratio": "16:9"}), 422, "invalid_params")
    assert "params.aspect_ratio" in refused["errors"]
