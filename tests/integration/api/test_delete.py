"""Deleting: an ended job or one of its files is gone for everybody at once; its files follow, its entries stay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safelight.domain.errors import Remedy, StorageFailed, Unavailable
from safelight.services import prune, removal
from tests.integration.api.problems import problem
from tests.support.by_hand import HandWorker
from tests.support.door import Door


def stored(door: Door) -> set[str]:
    root = door.safelight.store.root
    assert root is not None
    return {str(path.relative_to(root)) for path in Path(root).rglob("*") if path.is_file()}


def delivered(door: Door, **fields: Any) -> dict[str, Any]:
    """The body of a completed job with its files in storage."""
    with door.working():
        return door.until_ended(door.submit(**fields)["id"])


def delete(door: Door, path: str) -> None:
    answer = door.request("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")


def refused(door: Door, path: str, says: str) -> None:
    found = problem(door.request("DELETE", path), 409, "conflict")
    assert says in found["detail"]


def test_a_deleted_job_is_gone_with_its_files_and_its_entries_stay(door: Door) -> None:
    with door.working():
        job, other = (door.until_ended(door.submit(labels={"shelf": shelf})["id"]) for shelf in "xy")
    before = door.get("/api/credits").json()
    url = job["assets"][0]["url"]
    assert door.get(url).status_code == 200
    delete(door, f"/api/jobs/{job['id']}")
    for path in (f"/api/jobs/{job['id']}", f"/api/jobs/{job['id']}/events", url):
        problem(door.get(path), 404, "not_found")
    assert [each["id"] for each in door.get("/api/jobs").json()["jobs"]] == [other["id"]]
    assert all(other["id"] in key for key in stored(door))
    assert door.get("/api/credits").json() == before
    assert {entry["kind"] for entry in door.get("/api/credits/ledger").json()["entries"]} >= {"hold", "capture"}
    problem(door.request("DELETE", f"/api/jobs/{job['id']}"), 404, "not_found")


def test_a_batch_goes_with_its_items_and_no_item_goes_alone(door: Door) -> None:
    with door.working():
        batch = door.post("/api/jobs", json={"kind": "batch", "prompts": ["a", "b"]}).json()["id"]
        door.until_ended(batch)
    items = [item["id"] for item in door.get(f"/api/jobs/{batch}/items").json()["jobs"]]
    refused(door, f"/api/jobs/{items[0]}", "item of a batch")
    delete(door, f"/api/jobs/{batch}")
    for job_id in (batch, *items):
        problem(door.get(f"/api/jobs/{job_id}"), 404, "not_found")
    assert stored(door) == set()


def test_what_lives_stays_and_other_peoples_jobs_are_not_there(door: Door) -> None:
    waiting, running = door.submit("waits"), door.submit("runs")
    worker = HandWorker(door.safelight.database, door.run)
    worker.claim()
    for job in (waiting, running):
        refused(door, f"/api/jobs/{job['id']}", "only what has ended")
    door.give_away(waiting["id"])
    for job_id in (waiting["id"], "01890000-0000-7000-8000-000000000000", "nonsense"):
        problem(door.request("DELETE", f"/api/jobs/{job_id}"), 404, "not_found")
        problem(door.request("DELETE", f"/api/assets/{job_id}"), 404, "not_found")


def test_one_file_goes_and_its_job_stays(door: Door) -> None:
    job = delivered(door, params={"n": 2})
    first, second = job["assets"]
    etag = door.get(f"/api/jobs/{job['id']}").headers["ETag"]
    delete(door, f"/api/assets/{first['id']}")
    problem(door.get(first["url"]), 404, "not_found")
    problem(door.get(first["thumbnail_url"]), 404, "not_found")
    again = door.get(f"/api/jobs/{job['id']}", headers={"If-None-Match": etag})
    assert [asset["id"] for asset in again.json()["assets"]] == [second["id"]]
    assert door.get(second["url"]).status_code == 200
    assert len(stored(door)) == 2
    problem(door.request("DELETE", f"/api/assets/{first['id']}"), 404, "not_found")
    named = {"kind": "upscale", "model": "lanczos", "inputs": [{"asset": first["id"]}]}
    problem(door.post("/api/jobs", json=named), 422, "invalid_params")


def test_what_another_job_is_about_to_start_from_stays(sqlite_door: Door) -> None:
    door = sqlite_door
    job = delivered(door)
    asset = job["assets"][0]["id"]
    body = {"kind": "upscale", "model": "lanczos", "inputs": [{"asset": asset}]}
    larger = door.post("/api/jobs", json=body).json()["id"]
    for path in (f"/api/jobs/{job['id']}", f"/api/assets/{asset}"):
        refused(door, path, f"Job {larger}, which has not ended, starts from this")
    door.post(f"/api/jobs/{larger}/cancel")
    delete(door, f"/api/jobs/{job['id']}")


def test_a_key_whose_job_was_deleted_makes_no_second_one(door: Door) -> None:
    body, headers = {"kind": "image", "prompt": "a"}, {"Idempotency-Key": "once"}
    with door.working():
        job_id = door.post("/api/jobs", json=body, headers=headers).json()["id"]
        door.until_ended(job_id)
    delete(door, f"/api/jobs/{job_id}")
    problem(door.post("/api/jobs", json=body, headers=headers), 410, "gone")


@pytest.mark.parametrize("step", ["files", "rows"])
@pytest.mark.parametrize("what", ["jobs", "assets"])
def test_whoever_is_killed_in_between_leaves_the_rest_to_the_pruner(
    door: Door, monkeypatch: pytest.MonkeyPatch, step: str, what: str
) -> None:
    job = delivered(door)
    path = f"/api/{what}/{job['id'] if what == 'jobs' else job['assets'][0]['id']}"
    with monkeypatch.context() as patch:
        _break(door, patch, step)
        delete(door, path)
        assert (stored(door) == set()) == (step == "rows")
        problem(door.get(job["assets"][0]["url"]), 404, "not_found")
        if what == "jobs":
            problem(door.get(f"/api/jobs/{job['id']}"), 404, "not_found")
            delete(door, path)  # begun, and not at its end: asked for again it is no news
    door.run(door.safelight.pruner.run_once())
    assert stored(door) == set()
    assert door.run(door.safelight.database.read(removal.doomed_assets, 0)) == []
    assert door.run(door.safelight.database.read(prune.marked_jobs, 0)) == []
    assert door.get(f"/api/jobs/{job['id']}").status_code == (404 if what == "jobs" else 200)


def _break(door: Door, patch: pytest.MonkeyPatch, step: str) -> None:
    async def fail(*_: Any) -> None:
        await asyncio.sleep(0)
        raise StorageFailed("It is away.", remedy=Remedy("Wait."))

    if step == "files":
        patch.setattr(door.safelight.store, "delete", fail)
        return
    write: Callable[..., Any] = door.safelight.database.write

    async def only_marks(use_case: Callable[..., Any], *arguments: Any) -> Any:
        if use_case in (prune.remove, removal.forget_assets):
            raise Unavailable("It is away.", remedy=Remedy("Wait."))
        return await write(use_case, *arguments)

    patch.setattr(door.safelight.database, "write", only_marks)
