"""Recoveries over HTTP, for operators: tried dry, planned, looked at, stopped, and carried out by whoever sweeps."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from safelight.maintenance.recoverer import Recoverer
from safelight.services import closing_time, recovery_effect
from safelight.services.again import Again
from safelight.services.grant import Gift, adjust
from safelight.services.prepare import Caller
from safelight.testing.books import assert_books_balance
from tests.integration.api.problems import problem
from tests.support.by_hand import HandWorker
from tests.support.door import Door

PATH = "/api/admin/recoveries"


def asked(door: Door, action: str, dry_run: bool = False, **given: Any) -> httpx.Response:
    rest = {name: given.pop(name) for name in ("message", "after_s", "by") if name in given}
    path = f"{PATH}?dry_run=true" if dry_run else PATH
    return door.post(path, json={"action": action, "filter": given or {"queue": "image"}, **rest})


def shown(door: Door, recovery_id: str) -> dict[str, Any]:
    body: dict[str, Any] = door.get(f"{PATH}/{recovery_id}").json()
    return body


def sweep(door: Door) -> None:
    """Do all that is due, as a process that sweeps does."""
    recoverer = Recoverer(door.safelight.database, Again(door.safelight.desk))
    due = door.run(door.safelight.database.read(recovery_effect.due))
    door.run(recoverer.carry_out(due))


def test_a_dry_run_tells_what_would_be_touched_and_why_the_rest_would_not(door: Door) -> None:
    made = door.submit_many(12)
    taken = HandWorker(door.safelight.database, door.run).claim()
    found = asked(door, "requeue", dry_run=True, queue="image", status=["pending", "processing"])
    assert found.status_code == 200, found.text
    body = found.json()
    price = made[0]["credits"]["held"]
    assert (body["jobs"], body["users"], body["credits"], body["more"]) == (11, 1, 11 * price, False)
    assert len(body["sample"]) == 10
    assert taken.id not in {each["id"] for each in body["sample"]}
    assert body["untouched"] == [{"reason": "held", "jobs": 1, "why": "a worker runs it"}]
    assert door.get(PATH).json() == {"recoveries": [], "nextCursor": None}


def test_a_plan_takes_effect_after_a_minute_unless_it_is_stopped(door: Door) -> None:
    job = door.submit()
    made = asked(door, "fail", message="Sorry.", by="olga")
    assert made.status_code == 201, made.text
    body = made.json()
    assert (body["state"], body["requested_by"], body["jobs"]) == ("planned", "local (olga)", 1)
    assert body["effective_at"] > body["requested_at"]
    sweep(door)
    assert door.show(job["id"])["status"] == "pending"
    stopped = door.request("DELETE", f"{PATH}/{body['id']}")
    assert (stopped.status_code, stopped.json()["state"], stopped.json()["stopped_by"]) == (200, "canceled", "local")
    again = door.request("DELETE", f"{PATH}/{body['id']}")
    assert problem(again, 409)["detail"].endswith("it was stopped before.")
    assert shown(door, body["id"])["members"][0]["outcome"] is None


def test_what_failed_tells_its_user_why_and_costs_nothing(door: Door) -> None:
    job = door.submit()
    made = asked(door, "fail", message="The GPU burnt down.", after_s=0).json()
    sweep(door)
    ended = door.show(job["id"])
    assert (ended["status"], ended["error"]["code"]) == ("failed", "failed_by_operator")
    assert ended["error"]["message"] == "The GPU burnt down."
    assert ended["credits"]["held"] == ended["credits"]["captured"] == 0
    said = door.get(f"/api/jobs/{job['id']}/debug").json()
    assert "The GPU burnt down." in said["voices"]["user"]
    assert said["verdict"]["code"] == "FAILED_BY_OPERATOR"
    notes = {step["stage"]: step["note"] for step in said["timeline"]}
    assert f"fail by local, recovery {made['id']}" in notes["recovery_planned"]
    assert notes["recovered"] == f"failed: fail by local, recovery {made['id']}"
    seen = shown(door, made["id"])
    assert (seen["state"], seen["outcomes"]) == ("done", {"failed": 1})
    assert [(each["id"], each["outcome"]) for each in seen["members"]] == [(job["id"], "failed")]


def test_failed_jobs_of_everybody_are_made_again_once_even_if_the_process_dies_before_it_writes_that_down(
    door: Door,
) -> None:
    jobs = [door.submit()["id"] for _ in range(3)]
    asked(door, "fail", after_s=0)
    sweep(door)
    made = asked(door, "retry", status=["failed"], message="Sorry, once more.", after_s=0).json()
    assert made["jobs"] == 3
    (number,) = door.run(door.safelight.database.read(recovery_effect.due))
    slice_ = door.run(door.safelight.database.write(recovery_effect.carry_out, number))
    first = slice_.to_make[0]
    caller = Caller(first.user_id, idempotency_key=first.key, is_local=True)
    lost = door.run(Again(door.safelight.desk).make_again(first.id, caller, first.message))
    sweep(door)
    seen = shown(door, made["id"])
    assert (seen["state"], seen["outcomes"]) == ("done", {"made": 3})
    new = {each["id"]: each["detail"] for each in seen["members"]}
    assert sorted(new) == sorted(jobs)
    assert new[first.id] == lost.details.job.id
    assert {door.show(new[job])["replay_of"] for job in jobs} == set(jobs)
    assert door.show(new[jobs[0]])["warnings"] == [{"code": "made_again", "message": "Sorry, once more."}]
    assert len(door.get("/api/jobs").json()["jobs"]) == 6
    left = asked(door, "retry", dry_run=True, status=["failed"]).json()
    assert left["untouched"] == [{"reason": "again", "jobs": 3, "why": "it was made again already"}]
    with door.safelight.database.reading() as tx:
        assert_books_balance(tx)


def test_while_no_new_jobs_are_taken_the_rest_of_the_sweep_goes_on_and_they_are_made_later(door: Door) -> None:
    door.submit()
    asked(door, "fail", after_s=0)
    sweep(door)
    made = asked(door, "retry", status=["failed"], after_s=0).json()
    door.run(door.safelight.database.write(closing_time.begin, "We move house."))
    door.safelight.desk.closing_time._read_at = None
    sweep(door)
    assert (shown(door, made["id"])["state"], shown(door, made["id"])["outcomes"]) == ("running", {})
    door.run(door.safelight.database.write(closing_time.end))
    door.safelight.desk.closing_time._read_at = None
    sweep(door)
    assert shown(door, made["id"])["outcomes"] == {"made": 1}


def test_what_its_user_cannot_pay_again_is_refused_and_says_so(door: Door) -> None:
    door.submit()
    asked(door, "fail", after_s=0)
    sweep(door)
    left = door.get("/api/credits").json()["available"]
    door.run(door.safelight.database.write(adjust, Gift("local", -left, "all of it")))
    made = asked(door, "retry", status=["failed"], after_s=0).json()
    sweep(door)
    seen = shown(door, made["id"])
    assert (seen["state"], seen["outcomes"]) == ("done", {"refused": 1})
    assert "account 'local' has 0" in seen["members"][0]["detail"]


def test_what_is_canceled_says_by_whom_and_why(door: Door) -> None:
    job = door.submit()
    asked(door, "cancel", message="The model is gone.", after_s=0)
    sweep(door)
    said = door.get(f"/api/jobs/{job['id']}/debug").json()
    assert said["voices"]["user"].startswith("It was canceled by the operator; it cost nothing. The model is gone.")


def test_a_finding_stands_for_the_jobs_it_is_about(door: Door) -> None:
    door.submit()
    found = asked(door, "requeue", dry_run=True, finding="NO_WORKER_FOR_QUEUE")
    assert (found.status_code, found.json()["jobs"]) == (200, 1), found.text
    made = asked(door, "requeue", finding="NO_WORKER_FOR_QUEUE").json()
    assert made["filter"] == {"status": ["pending"], "queue": "image", "finding": "NO_WORKER_FOR_QUEUE"}
    assert problem(asked(door, "requeue", finding="QUEUE_PAUSED"), 409)["detail"].startswith("QUEUE_PAUSED holds up no")
    assert "must be one of" in problem(asked(door, "requeue", finding="DISK_LOW"), 422)["detail"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"action": "fail", "filter": {}}, "must say which jobs"),
        ({"action": "fail", "filter": {"status": ["completed"]}}, "completed is not for fail"),
        ({"action": "burn", "filter": {"queue": "image"}}, "action"),
        ({"action": "fail", "filter": {"queue": "image"}, "after_s": -1}, "after_s"),
        ({"action": "fail"}, "filter"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(shared_door: Door, given: dict[str, Any], says: str) -> None:
    assert says in problem(shared_door.post(PATH, json=given), 422)["detail"]


def test_where_there_is_nothing_to_do_that_is_said_and_nothing_planned(door: Door) -> None:
    assert "There is no job to be touched" in problem(asked(door, "fail"), 409)["detail"]
    assert door.get(PATH).json()["recoveries"] == []
    assert problem(door.get(f"{PATH}/nothing"), 404)
    assert problem(door.request("DELETE", f"{PATH}/nothing"), 404)
