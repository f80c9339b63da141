"""Tasks: jobs in the envelope, the words and the errors that their clients know."""

from __future__ import annotations

from typing import Any

import pytest

from safelight.services.grant import Gift, adjust
from tests.support.door import Door

SMALL = {"width": 256, "height": 256, "seed": 7}


def create(door: Door, key: str | None = None, **input_data: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    asked = {"type": "image", "prompt": "Medieval monk", **SMALL, **input_data}
    return door.post("/api/tasks", json={"input_data": asked}, headers=headers)


def test_a_task_is_accepted_with_the_default_model_of_its_type(shared_door: Door) -> None:
    answer = create(shared_door)
    assert answer.status_code == 202
    told = answer.json()
    task = told.pop("data")
    assert told == {"success": True, "message": "Task created and queued for processing"}
    job = shared_door.show(task["task_id"])
    assert task == {"task_id": job["id"], "status": "queued", "progress": 0.0, "model": job["model"]}
    assert job["model"], "a job without a model was the defect of the system this door comes from"


def test_a_task_is_the_job_that_our_own_api_makes_of_the_same_request(shared_door: Door) -> None:
    mine = shared_door.submit("Medieval monk", params={"width": 256, "height": 256, "seed": 7})
    theirs = shared_door.show(create(shared_door).json()["data"]["task_id"])
    same = ("kind", "model", "queue", "prompt", "params", "inputs", "credits", "priority", "max_attempts")
    assert {name: theirs[name] for name in same} == {name: mine[name] for name in same}


@pytest.mark.parametrize("kind", ["image", "video", "text"])
def test_parameters_stand_beside_the_prompt_or_inside_params(shared_door: Door, kind: str) -> None:
    given = {"seed": 11} if kind != "text" else {"max_tokens": 64}
    for asked in (given, {"params": given}):
        body = {"input_data": {"type": kind, "prompt": "a park", **asked}}
        answer = shared_door.post("/api/tasks", json=body)
        if answer.status_code == 422:  # no model of that kind here: then it is said, and by its name
            assert answer.json()["error"]["code"] in ("MODEL_UNAVAILABLE", "UNKNOWN_MODEL"), answer.text
            continue
        task = shared_door.get(f"/api/tasks/{answer.json()['data']['task_id']}").json()["data"]
        assert given.items() <= task["input_data"].items()


def test_a_repeated_key_answers_200_with_the_same_task(shared_door: Door) -> None:
    first, second = (create(shared_door, key="swift-1") for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json()["data"]["task_id"] == second.json()["data"]["task_id"]
    assert second.headers["idempotency-replayed"] == "true"
    other = create(shared_door, key="swift-1", prompt="another")
    assert (other.status_code, other.json()["error"]["code"]) == (422, "IDEMPOTENCY_MISMATCH")


def test_a_task_shows_its_way_from_queued_to_its_result(door: Door) -> None:
    task_id = create(door).json()["data"]["task_id"]
    before = door.get(f"/api/tasks/{task_id}").json()
    assert before["success"] is True
    assert (before["data"]["status"], before["data"]["progress"]) == ("queued", 0.0)
    assert before["data"]["result_data"] is None
    assert before["data"]["error_data"] is None
    with door.working():
        job = door.until_ended(task_id)
    after = door.get(f"/api/tasks/{task_id}").json()["data"]
    assert (after["status"], after["progress"], after["error_data"]) == ("completed", 1.0, None)
    assert after["input_data"].items() >= {"type": "image", "prompt": "Medieval monk", **SMALL}.items()
    made = after["result_data"]
    assert door.get(made["image_url"].removeprefix("http://127.0.0.1")).headers["content-type"].startswith("image/")
    assert (made["model"], made["provider"]) == (job["model"], "procedural")
    assert made["prediction_id"]
    assert (made["created_at"], made["completed_at"]) == (job["created_at"], job["finished_at"])


def test_all_files_of_a_task_are_named(door: Door) -> None:
    task_id = create(door, n=2).json()["data"]["task_id"]
    with door.working():
        door.until_ended(task_id)
    made = door.get(f"/api/tasks/{task_id}").json()["data"]["result_data"]
    assert len(made["image_urls"]) == 2
    assert made["image_urls"][0] == made["image_url"]


def test_a_canceled_task_says_so(shared_door: Door) -> None:
    task_id = create(shared_door).json()["data"]["task_id"]
    shared_door.post(f"/api/jobs/{task_id}/cancel")
    task = shared_door.get(f"/api/tasks/{task_id}").json()["data"]
    assert (task["status"], task["error_data"]["code"], task["result_data"]) == ("canceled", "canceled", None)


def test_tasks_of_others_and_batches_are_not_found(shared_door: Door) -> None:
    task_id = create(shared_door).json()["data"]["task_id"]
    shared_door.give_away(task_id)
    batch = shared_door.post("/api/jobs", json={"kind": "batch", "prompts": ["a", "b"]}).json()["id"]
    for wanted in (task_id, batch, "nothing", "x" * 500):
        answer = shared_door.get(f"/api/tasks/{wanted}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "status", "code", "word"),
    [
        ({"input_data": {"type": "audio", "prompt": "a"}}, 422, "VALIDATION_ERROR", "type"),
        ({"input_data": {"prompt": "a"}}, 422, "VALIDATION_ERROR", "type"),
        ({"input_data": {"type": "image"}}, 422, "VALIDATION_ERROR", "prompt"),
        ({"input_data": {"type": "image", "prompt": 7}}, 422, "VALIDATION_ERROR", "prompt"),
        ({"input_data": {"type": "image", "prompt": "a", "colour": "red"}}, 422, "VALIDATION_ERROR", "colour"),
        ({"input_data": {"type": "image", "n": 1, "params": {"n": 2}}}, 422, "VALIDATION_ERROR", "params.n"),
        ({}, 422, "VALIDATION_ERROR", "input_data"),
        ([], 400, "VALIDATION_ERROR", "JSON"),
        ({"input_data": {"type": "image", "prompt": "a", "model": "imagen-9"}}, 422, "UNKNOWN_MODEL", "imagen-9"),
        ({"input_data": {"type": "image", "prompt": "a\x00"}}, 400, "VALIDATION_ERROR", "NUL"),
        ({"input_data": {"type": "image", "prompt": "x" * 1_100_000}}, 413, "TOO_LARGE", "KiB"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_their_form(shared_door: Door, body: Any, status: int, code: str, word: str) -> None:
    answer = shared_door.post("/api/tasks", json=body)
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert told["success"] is False
    assert told["error"]["code"] == code
    assert word in told["error"]["message"]


def test_a_task_that_the_account_cannot_pay_is_refused(door: Door) -> None:
    able = door.get("/api/credits").json()["available"]
    door.run(door.safelight.database.write(adjust, Gift("local", -able, "r", "spent")))
    answer = create(door)
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, "INSUFFICIENT_CREDITS")


def test_addresses_and_methods_that_are_not_there_are_told_in_their_form(shared_door: Door) -> None:
    assert shared_door.request("DELETE", "/api/tasks").json()["error"]["code"] == "VALIDATION_ERROR"
    assert shared_door.get("/api/tasks/1/2/3").json()["error"]["code"] == "NOT_FOUND"
    broken = shared_door.post("/api/tasks", content=b"{", headers={"content-type": "application/json"})
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
