"""Many of one's own jobs at once: canceled or made again by a filter, and nobody else's."""

from __future__ import annotations

from typing import Any

from tests.integration.api.problems import problem
from tests.support.by_hand import HandWorker
from tests.support.door import Door


def asked(door: Door, verb: str, dry_run: bool = False, key: str | None = None, **given: Any) -> dict[str, Any]:
    path = f"/api/jobs/{verb}{'?dry_run=true' if dry_run else ''}"
    answer = door.post(path, json={"filter": given}, headers={"Idempotency-Key": key} if key else {})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_jobs_of_a_label_are_canceled_a_batch_with_all_of_its_items_and_no_others(door: Door) -> None:
    stay = door.submit()["id"]
    gone = [door.submit(labels={"shelf": "x"})["id"] for _ in range(2)]
    batch = door.post("/api/jobs", json={"kind": "batch", "prompts": ["a", "b"], "labels": {"shelf": "x"}}).json()
    strange = door.submit()["id"]
    door.give_away(strange)
    dry = asked(door, "cancel", dry_run=True, labels={"shelf": "x"})
    assert (dry["jobs"], dry["outcomes"], len(dry["sample"])) == (3, {}, 3)
    assert door.show(gone[0])["status"] == "pending"
    done = asked(door, "cancel", labels={"shelf": "x"})
    assert (done["jobs"], done["outcomes"], done["more"]) == (3, {"canceled": 2, "stopping": 1}, False)
    assert [door.show(job)["status"] for job in (*gone, batch["id"], stay)] == ["canceled"] * 3 + ["pending"]
    assert asked(door, "cancel", status=["pending"])["outcomes"] == {"canceled": 1}
    assert asked(door, "cancel", dry_run=True, kind="image")["jobs"] == 0, "somebody else's is not seen"


def test_one_that_runs_is_stopped_by_its_worker(door: Door) -> None:
    door.submit()
    taken = HandWorker(door.safelight.database, door.run).claim()
    assert asked(door, "cancel", kind="image")["outcomes"] == {"stopping": 1}
    assert door.show(taken.id)["cancel_requested"]
    again = asked(door, "cancel", kind="image")
    assert (again["jobs"], again["untouched"][0]["reason"]) == (0, "stopping")


def test_failed_jobs_are_made_again_once(door: Door) -> None:
    worker = HandWorker(door.safelight.database, door.run)
    jobs = [door.submit()["id"] for _ in range(3)]
    for _ in jobs:
        worker.fail(worker.claim())
    assert asked(door, "retry", dry_run=True, error_code="content_rejected")["jobs"] == 3
    done = asked(door, "retry", key="k", status=["failed"])
    assert (done["outcomes"], done["refusal"]) == ({"made": 3}, None)
    assert sorted(each["from"] for each in done["made"]) == sorted(jobs)
    assert {door.show(each["id"])["replay_of"] for each in done["made"]} == set(jobs)
    again = asked(door, "retry", key="other", status=["failed"])
    assert (again["jobs"], again["untouched"]) == (
        0,
        [{"reason": "again", "jobs": 3, "why": "it was made again already"}],
    )


def test_a_filter_that_says_nothing_is_refused(shared_door: Door) -> None:
    for verb in ("cancel", "retry"):
        refused = shared_door.post(f"/api/jobs/{verb}", json={"filter": {}})
        assert "must say which jobs" in problem(refused, 422)["detail"]
        assert problem(shared_door.post(f"/api/jobs/{verb}", json={}), 422)
