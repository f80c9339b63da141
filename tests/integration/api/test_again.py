"""Retry and replay over HTTP, and what an idempotency key is worth."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from safelight.catalog.catalog import Catalog
from safelight.catalog.model import Model
from safelight.domain.ids import new_id
from safelight.domain.jobs import Status
from safelight.services.calls import Accepted, Sending, accepted, sending
from safelight.services.claimable import ClaimedJob
from safelight.services.finish import Ending, finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.terms_of_users import TermsOfUsers
from safelight.store import tables
from safelight.store.statements import Change
from safelight.store.tx import Tx
from tests.integration.api.problems import problem
from tests.support.by_hand import HandWorker
from tests.support.door import BASE, Door

_PRUNE = Change(sa.update(tables.jobs).values(pruning_at=1.0).where(tables.jobs.c.id == sa.bindparam("public_id")))


@pytest.fixture
def worker(door: Door) -> HandWorker:
    return HandWorker(door.safelight.database, door.run)


def post(door: Door, job_id: str, verb: str, *, key: str = "", **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return door.post(f"/api/jobs/{job_id}/{verb}", json=body or None, headers=headers)


def ended(door: Door, worker: HandWorker, status: str, **fields: Any) -> dict[str, Any]:
    """A job that ended like this."""
    job = door.submit(**fields)
    if status == "canceled":
        post(door, job["id"], "cancel")
    elif status == "completed":
        worker.complete(worker.claim())
    else:
        worker.fail(worker.claim())
    return door.show(job["id"])


def with_open_call(tx: Tx, job: ClaimedJob, remote_id: str | None) -> None:
    """It failed while its provider went on."""
    call = new_id()
    sending(tx, [Sending(call, job.number, job.fence, 1, "procedural", "procedural", False, "w")])
    if remote_id:
        accepted(tx, [Accepted(call, remote_id)])
    finish(tx, [Ending(job.number, job.fence, Status.FAILED, error='{"code":"deadline_exceeded","message":"Late."}')])


def failed_with_call(door: Door, worker: HandWorker, remote_id: str | None = "r-1") -> dict[str, Any]:
    job = door.submit()
    door.run(door.safelight.database.write(with_open_call, worker.claim(), remote_id))
    return door.show(job["id"])


@contextmanager
def catalog_of(door: Door, *models: Model) -> Iterator[None]:
    """As if the operator had changed the catalog and started again."""
    desk = door.safelight.desk
    terms = TermsOfUsers(door.safelight.database, Catalog(models))
    door.safelight.desk = replace(desk, catalog=Catalog(models), terms=terms)
    yield
    door.safelight.desk = desk


ASKED = ("kind", "model", "prompt", "params", "labels", "priority")


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_what_failed_or_was_canceled_is_made_again_as_a_new_job(door: Door, worker: HandWorker, status: str) -> None:
    first = ended(door, worker, status, labels={"book": "7"}, priority=2)
    answer = post(door, first["id"], "retry")
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["Location"] == f"{BASE}/api/jobs/{made['id']}"
    assert (made["replay_of"], made["status"], made["attempt"]) == (first["id"], "pending", 0)
    assert {name: made[name] for name in ASKED} == {name: first[name] for name in ASKED}
    assert made["credits"]["held"] == 1
    assert door.show(first["id"])["status"] == status


def test_a_job_between_two_tries_is_tried_now(door: Door, worker: HandWorker) -> None:
    job = door.submit()
    taken = worker.claim()
    door.run(door.safelight.database.write(hand_back, Return(taken.number, taken.fence, "Busy.", 300.0, True)))
    assert door.show(job["id"])["queue_info"]["due_at"]
    answer = post(door, job["id"], "retry")
    assert (answer.status_code, answer.json()["id"]) == (200, job["id"])
    assert answer.json()["queue_info"]["due_at"] is None
    assert worker.claim().id == job["id"]


def test_the_key_of_a_submit_does_not_retry_its_job(door: Door, worker: HandWorker) -> None:
    body = {"kind": "image", "prompt": "a lighthouse"}
    job = door.post("/api/jobs", json=body, headers={"Idempotency-Key": "k"}).json()
    worker.fail(worker.claim())
    problem(post(door, job["id"], "retry", key="k"), 422, "idempotency_mismatch")


def test_a_key_that_had_a_waiting_job_tried_now_never_makes_another(door: Door, worker: HandWorker) -> None:
    job = door.submit()
    taken = worker.claim()
    door.run(door.safelight.database.write(hand_back, Return(taken.number, taken.fence, "Busy.", 300.0, True)))
    assert post(door, job["id"], "retry", key="k").status_code == 200
    worker.fail(worker.claim())
    answer = post(door, job["id"], "retry", key="k")
    assert (answer.status_code, answer.json()["id"], answer.json()["status"]) == (200, job["id"], "failed")
    assert post(door, job["id"], "retry", key="another").status_code == 201


def test_what_waits_runs_or_completed_cannot_be_retried_and_the_remedy_fits(door: Door, worker: HandWorker) -> None:
    done = ended(door, worker, "completed")
    assert f"replay {done['id']}" in problem(post(door, done["id"], "retry"), 409, "conflict")["remedy"]
    waiting = door.submit()
    assert "show" in problem(post(door, waiting["id"], "retry"), 409)["remedy"]
    worker.claim()
    assert "cancel" in problem(post(door, waiting["id"], "retry"), 409)["remedy"]
    assert len(door.get("/api/jobs").json()["jobs"]) == 2


def test_a_retry_of_a_batch_makes_a_batch_of_what_it_lacks(door: Door, worker: HandWorker) -> None:
    asked = {"prompts": ["a", "b", "c"], "labels": {"book": "7"}}
    batch = door.post("/api/jobs/batch-generation", json=asked).json()
    worker.fail(worker.claim())
    worker.complete(worker.claim())
    problem(post(door, batch["id"], "retry"), 409)
    worker.fail(worker.claim())
    assert door.show(batch["id"])["status"] == "partial"
    made = post(door, batch["id"], "retry").json()
    assert (made["kind"], made["replay_of"], made["labels"]) == ("batch", batch["id"], {"book": "7"})
    found = door.get(f"/api/jobs/{made['id']}/items").json()["jobs"]
    assert [item["prompt"] for item in found] == ["a", "c"]
    whole = post(door, batch["id"], "replay").json()
    assert whole["items"]["total"] == 3


def test_a_retry_pays_the_price_of_the_day_and_knows_no_retired_model(door: Door, worker: HandWorker) -> None:
    first = ended(door, worker, "failed")
    (model,) = [m for m in door.safelight.catalog.models if m.id == first["model"]]
    dearer = model.model_copy(update={"price": model.price.model_copy(update={"credits": 5})})
    with catalog_of(door, dearer):
        assert post(door, first["id"], "retry").json()["credits"]["held"] == 5
    with catalog_of(door):
        problem(post(door, first["id"], "retry"), 422, "unknown_model")


def test_a_replay_runs_an_ended_job_once_more(door: Door, worker: HandWorker) -> None:
    first = ended(door, worker, "completed")
    for body in ({}, {"mode": "rerun"}):
        answer = post(door, first["id"], "replay", **body)
        assert answer.status_code == 201
        assert {name: answer.json()[name] for name in ASKED} == {name: first[name] for name in ASKED}
        assert answer.json()["replay_of"] == first["id"]


def test_a_job_that_lives_cannot_be_replayed(door: Door) -> None:
    job = door.submit()
    problem(post(door, job["id"], "replay", mode="rerun"), 409, "conflict")
    problem(post(door, job["id"], "replay", mode="resume"), 409, "conflict")


def test_a_resume_polls_the_same_call_once_at_a_time(door: Door, worker: HandWorker) -> None:
    first = failed_with_call(door, worker)
    answer = post(door, first["id"], "replay", mode="resume")
    assert answer.status_code == 201
    assert (answer.json()["replay_of"], answer.json()["credits"]["held"]) == (first["id"], 1)
    other = problem(post(door, first["id"], "replay", mode="resume"), 409, "conflict")
    assert answer.json()["id"] in other["remedy"]
    taken = worker.claim()
    assert (taken.id, taken.resumed_call is not None) == (answer.json()["id"], True)


def test_what_has_no_remote_id_cannot_be_resumed_but_rerun(door: Door, worker: HandWorker) -> None:
    first = failed_with_call(door, worker, None)
    assert "--mode rerun" in problem(post(door, first["id"], "replay", mode="resume"), 409, "conflict")["remedy"]
    batch = door.post("/api/jobs/batch-generation", json={"prompts": ["a"]}).json()
    post(door, batch["id"], "cancel")
    problem(post(door, batch["id"], "replay", mode="resume"), 409, "conflict")


def test_a_resume_whose_model_is_gone_says_so(door: Door, worker: HandWorker) -> None:
    first = failed_with_call(door, worker)
    with catalog_of(door):
        problem(post(door, first["id"], "replay", mode="resume"), 422, "model_unavailable")


@pytest.mark.parametrize(
    ("verb", "body"), [("retry", {}), ("replay", {"mode": "rerun"}), ("replay", {"mode": "resume"})]
)
def test_a_key_makes_one_job_of_a_repeated_request(
    door: Door, worker: HandWorker, verb: str, body: dict[str, Any]
) -> None:
    first = failed_with_call(door, worker)
    answers = [post(door, first["id"], verb, key="k", **body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    problem(door.post("/api/jobs", json={"kind": "image", "prompt": "x"}, headers={"Idempotency-Key": "k"}), 422)


@pytest.mark.parametrize("verb", ["retry", "replay"])
def test_other_peoples_jobs_are_not_there(door: Door, worker: HandWorker, verb: str) -> None:
    first = ended(door, worker, "failed")
    door.give_away(first["id"])
    problem(post(door, first["id"], verb), 404, "not_found")
    problem(post(door, "nope", verb), 404, "not_found")


def test_an_unknown_mode_is_refused_by_field(door: Door, worker: HandWorker) -> None:
    first = ended(door, worker, "failed")
    assert "mode" in problem(post(door, first["id"], "replay", mode="again"), 422, "invalid_params")["errors"]


def test_fifty_submits_under_one_key_at_once_make_one_job(door: Door) -> None:
    body = {"kind": "image", "prompt": "a fox", "params": {"width": 256, "height": 256}}
    with door.listening() as url, httpx.Client(base_url=url, trust_env=False) as client, ThreadPoolExecutor(50) as pool:

        def submit(_: int) -> httpx.Response:
            return client.post("/api/jobs", json=body, headers={"Idempotency-Key": "k"}, timeout=30)

        answers = list(pool.map(submit, range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    (job,) = door.get("/api/jobs").json()["jobs"]
    assert job["credits"]["held"] == 1


def test_the_key_of_a_job_that_was_removed_says_so(door: Door) -> None:
    body, headers = {"kind": "image", "prompt": "a fox"}, {"Idempotency-Key": "k"}
    job = door.post("/api/jobs", json=body, headers=headers).json()
    door.run(door.safelight.database.write(lambda tx: tx.run(_PRUNE, public_id=job["id"])))
    refusal = problem(door.post("/api/jobs", json=body, headers=headers), 410, "gone")
    assert job["id"] in refusal["detail"]
    assert "new key" in refusal["remedy"]
