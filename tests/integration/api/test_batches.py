"""Batches over HTTP: both forms of the request, refusals by field, the batch's body, its items, cancel."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api.problems import problem
from tests.support.by_hand import HandWorker
from tests.support.door import BASE, Door

BATCH = "/api/jobs/batch-generation"
SMALL = {"width": 256, "height": 256}


@pytest.fixture
def worker(door: Door) -> HandWorker:
    return HandWorker(door.safelight.database, door.run)


def submit(door: Door, path: str = BATCH, **body: Any) -> dict[str, Any]:
    answer = door.post(path, json=body)
    assert answer.status_code == 202, answer.text
    made: dict[str, Any] = answer.json()
    return made


def items(door: Door, batch: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = door.get(f"/api/jobs/{batch['id']}/items", params=query).json()["jobs"]
    return found


def test_a_batch_shows_the_sums_of_its_items(door: Door, worker: HandWorker) -> None:
    asked = [{"prompt": "a fox", "params": {"n": 2}}, {"prompt": "an owl"}, {"prompt": "a hen"}]
    batch = submit(door, items=asked, labels={"book": "7"}, priority=1)
    assert (batch["kind"], batch["status"], batch["jobId"]) == ("batch", "pending", batch["id"])
    assert (batch["model"], batch["queue"], batch["prompt"], batch["assets"]) == (None, None, None, [])
    assert batch["credits"] == {"held": 4, "captured": 0, "released": 0}
    url = f"{BASE}/api/jobs/{batch['id']}/items"
    assert batch["items"] == {"total": 3, "by_status": {"pending": 3}, "url": url}
    worker.complete(worker.claim())
    worker.fail(worker.claim())
    running = door.show(batch["id"])
    assert (running["status"], running["progress"]) == ("processing", pytest.approx(2 / 3))
    assert running["items"]["by_status"] == {"completed": 1, "failed": 1, "pending": 1}
    worker.complete(worker.claim())
    ended = door.get(f"/api/jobs/{batch['id']}")
    assert (ended.status_code, ended.json()["status"], ended.json()["progress"]) == (200, "partial", 1.0)
    credits = ended.json()["credits"]
    assert (credits["held"], credits["captured"] + credits["released"]) == (0, 4)
    assert ended.json()["labels"] == {"book": "7"}


def test_items_are_jobs_in_the_order_asked_that_know_their_batch(door: Door) -> None:
    batch = submit(door, items=[{"prompt": f"number {n}"} for n in range(5)])
    found = items(door, batch)
    assert [item["prompt"] for item in found] == [f"number {n}" for n in range(5)]
    assert {item["parent_id"] for item in found} == {batch["id"]}
    assert found[0] == door.show(found[0]["id"]) | {"queue_info": found[0]["queue_info"]}
    assert len({item["params"]["seed"] for item in found}) == 5


def test_items_are_paged_and_filtered(door: Door, worker: HandWorker) -> None:
    batch = submit(door, items=[{"prompt": f"number {n}"} for n in range(5)])
    worker.complete(worker.claim())
    path, seen, cursor = f"/api/jobs/{batch['id']}/items", [], ""
    while cursor is not None:
        page = door.get(path, params={"limit": 2, "cursor": cursor}).json()
        seen += [item["prompt"] for item in page["jobs"]]
        cursor = page["nextCursor"]
    assert seen == [f"number {n}" for n in range(5)]
    assert [item["prompt"] for item in items(door, batch, status="completed")] == ["number 0"]
    problem(
        door.get(path, params={"cursor": door.get("/api/jobs", params={"limit": 1}).json()["nextCursor"] or "x"}), 422
    )


def test_the_list_hides_items_unless_their_batch_is_named(door: Door) -> None:
    single = door.submit()
    batch = submit(door, items=[{"prompt": "a"}, {"prompt": "b"}])
    assert [job["id"] for job in door.get("/api/jobs").json()["jobs"]] == [batch["id"], single["id"]]
    assert [job["id"] for job in door.get("/api/jobs?kind=batch").json()["jobs"]] == [batch["id"]]
    of_batch = door.get("/api/jobs", params={"parent": batch["id"]}).json()["jobs"]
    assert [job["prompt"] for job in of_batch] == ["b", "a"]
    assert door.get("/api/jobs", params={"parent": single["id"]}).json()["jobs"] == []


def test_each_prompt_runs_on_each_model_as_often_as_asked(door: Door) -> None:
    batch = submit(
        door, prompts=["a fox", "an owl"], models=["procedural", "procedural-image"], n=2, params={"seed": 7}
    )
    found = items(door, batch)
    assert [item["prompt"] for item in found] == ["a fox"] * 4 + ["an owl"] * 4
    assert [item["params"]["seed"] for item in found] == [7, 8] * 4


def test_the_older_body_of_a_batch_is_taken(door: Door) -> None:
    older = {"prompts": ["a fox"], "model": "procedural", "provider": "procedural", "batchSize": 3, "options": SMALL}
    found = items(door, submit(door, **older))
    assert len(found) == 3
    assert {(item["model"], item["params"]["width"]) for item in found} == {("procedural", 256)}


def test_the_common_address_takes_a_batch_too(door: Door) -> None:
    batch = submit(door, "/api/jobs", kind="batch", prompts=["a fox", "an owl"])
    assert batch["items"]["total"] == 2
    assert "jobId" not in batch


def test_what_the_batch_says_holds_for_items_that_say_nothing_themselves(door: Door) -> None:
    asked = [{"prompt": "a"}, {"prompt": "b", "priority": -1, "labels": {"own": "1"}, "params": {"width": 512}}]
    one, two = items(door, submit(door, items=asked, priority=2, labels={"book": "7"}, params=SMALL))
    assert (one["priority"], one["labels"], one["params"]["width"]) == (2, {"book": "7"}, 256)
    assert (two["priority"], two["labels"], two["params"]["width"]) == (-1, {"book": "7", "own": "1"}, 512)


def test_everything_wrong_with_any_item_is_told_at_once_and_nothing_is_made(door: Door) -> None:
    asked = [{"prompt": "fine"}, {"prompt": " ", "params": {"width": 3}}, {"prompt": "x", "model": "procedurel"}]
    refusal = problem(door.post(BATCH, json={"items": asked}), 422, "invalid_params")
    assert refusal["errors"].keys() == {"items[1].prompt", "items[1].params.width", "items[2].model"}
    assert "'procedural'" in refusal["errors"]["items[2].model"][0]
    assert door.get("/api/jobs").json()["jobs"] == []


def test_errors_of_prompts_and_models_name_these(door: Door) -> None:
    body = {"prompts": ["fine", ""], "models": ["procedural", "nope"]}
    refusal = problem(door.post(BATCH, json=body), 422, "invalid_params")
    assert refusal["errors"].keys() == {"prompts[1]", "models[1]"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "items"),
        ({"items": []}, "items"),
        ({"prompts": []}, "prompts"),
        ({"items": [{"prompt": "x"}], "prompts": ["y"]}, "prompts"),
        ({"items": [{"prompt": "x"}], "n": 2}, "n"),
        ({"prompts": ["x"], "models": ["procedural"], "model": "procedural"}, "model"),
        ({"items": [{"kind": "batch", "prompt": "x"}]}, "items[0].kind"),
        ({"items": [{"prompt": "x", "items": []}]}, "items[0].items"),
        ({"prompts": ["x"] * 101, "n": 10}, "prompts"),
        ({"items": [{"prompt": "x"}] * 1001}, "items"),
        ({"prompts": ["x"], "n": 0}, "n"),
    ],
)
def test_a_batch_of_the_wrong_form_is_refused_by_field(shared_door: Door, body: dict[str, Any], field: str) -> None:
    assert field in problem(shared_door.post(BATCH, json=body), 422, "invalid_params")["errors"]


@pytest.mark.parametrize("extra", [{"items": [{"prompt": "x"}]}, {"prompts": ["x"]}, {"models": ["m"]}, {"n": 2}])
def test_a_single_job_takes_no_fields_of_a_batch(shared_door: Door, extra: dict[str, Any]) -> None:
    refusal = problem(shared_door.post("/api/jobs", json={"kind": "image", "prompt": "x", **extra}), 422)
    assert refusal["errors"].keys() == extra.keys()


def test_a_thousand_items_with_all_their_fields_are_one_batch(door: Door) -> None:
    full = {"width": 256, "height": 256, "seed": 1, "n": 1, "format": "webp"}
    asked = [
        {"kind": "image", "model": "procedural", "prompt": f"number {n}", "params": full, "labels": {"page": str(n)}}
        for n in range(1000)
    ]
    batch = submit(door, items=asked)
    assert batch["items"]["by_status"] == {"pending": 1000}
    assert batch["credits"]["held"] == 1000


def test_a_key_stands_for_the_whole_batch(door: Door) -> None:
    body, headers = {"prompts": ["a fox", "an owl"]}, {"Idempotency-Key": "k"}
    first = door.post(BATCH, json=body, headers=headers)
    again = door.post(BATCH, json=body, headers=headers)
    assert (again.json()["id"], again.headers["Idempotency-Replayed"]) == (first.json()["id"], "true")
    other = door.post(BATCH, json={"prompts": ["a fox"]}, headers=headers)
    problem(other, 422, "idempotency_mismatch")


def test_cancel_ends_the_items_that_wait_and_stops_those_that_run(door: Door, worker: HandWorker) -> None:
    batch = submit(door, prompts=["x"], n=250)
    running = worker.claim()
    answer = door.post(f"/api/jobs/{batch['id']}/cancel").json()
    assert (answer["was"], answer["job"]["status"]) == ("processing", "processing")
    assert answer["job"]["items"]["by_status"] == {"canceled": 249, "processing": 1}
    assert worker.report(running, 0.5).cancel_requested
    worker.complete(running)
    assert door.show(batch["id"])["status"] == "partial"


def test_a_batch_that_waits_is_canceled_at_once(door: Door) -> None:
    batch = submit(door, prompts=["x", "y"])
    answer = door.post(f"/api/jobs/{batch['id']}/cancel").json()
    assert (answer["was"], answer["job"]["status"]) == ("pending", "canceled")
    assert answer["job"]["credits"] == {"held": 0, "captured": 0, "released": 2}


def test_the_etag_changes_when_only_an_item_moves(door: Door, worker: HandWorker) -> None:
    batch = submit(door, prompts=["x", "y", "z"])
    worker.claim()
    path = f"/api/jobs/{batch['id']}"
    seen = door.get(path).headers["ETag"]
    assert door.get(path, headers={"If-None-Match": seen}).status_code == 304
    worker.claim()
    assert door.get(path, headers={"If-None-Match": seen}).json()["items"]["by_status"] == {
        "pending": 1,
        "processing": 2,
    }


def test_the_items_of_what_is_no_batch_or_not_yours_are_not_there(door: Door) -> None:
    single = door.submit()
    assert items(door, single) == []
    batch = submit(door, prompts=["x"])
    door.give_away(batch["id"])
    problem(door.get(f"/api/jobs/{batch['id']}/items"), 404)
    problem(door.get("/api/jobs/nope/items"), 404)


def test_a_batch_is_made_for_real(door: Door) -> None:
    batch = submit(door, prompts=["a fox", "an owl"], params=SMALL)
    with door.working():
        ended = door.until_ended(batch["id"])
    assert (ended["status"], ended["credits"]["captured"]) == ("completed", 2)
    assert [len(item["assets"]) for item in items(door, batch)] == [1, 1]
