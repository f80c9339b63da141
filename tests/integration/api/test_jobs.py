"""Submit, look at, cancel: the contract of single jobs, on both databases."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from safelight.catalog.catalog import Catalog
from safelight.services.disk import LEAST_FREE_BYTES
from safelight.services.terms_of_users import TermsOfUsers
from safelight.store.sqlite import SqliteDatabase
from tests.integration.api.problems import problem
from tests.support.by_hand import HandWorker
from tests.support.door import BASE, Door

FIELDS = {
    "id", "user_id", "kind", "model", "queue", "status", "stage", "progress", "sequence", "priority", "prompt",
    "params", "inputs", "labels", "assets", "text", "error", "credits", "cost_usd", "attempt", "max_attempts",
    "parent_id", "replay_of", "items", "queue_info", "warnings", "request_id", "created_at", "started_at",
    "finished_at", "deadline_at", "urls",
}  # fmt: skip
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def at(text: str) -> datetime:
    assert TIME.fullmatch(text), text
    return datetime.fromisoformat(text)


@pytest.fixture
def worker(door: Door) -> HandWorker:
    return HandWorker(door.safelight.database, door.run)


def test_an_accepted_job_is_described_whole(door: Door) -> None:
    asked = {
        "kind": "image",
        "model": "procedural",
        "prompt": "ein Leuchtturm, 灯台 💡",
        "params": {"width": 512, "height": 256, "seed": 5, "n": 2, "format": "webp"},
        "labels": {"chapter_id": "7", "scene": "Ünï"},
        "priority": 3,
        "deadline": 600,
    }
    answer = door.post("/api/jobs", json=asked, headers={"X-Request-ID": "order-7"})
    assert answer.status_code == 202
    job = answer.json()
    assert job.keys() >= FIELDS
    assert {name: job[name] for name in asked if name != "deadline"} == {n: asked[n] for n in asked if n != "deadline"}
    assert (job["status"], job["stage"], job["progress"], job["attempt"]) == ("pending", "queued", 0.0, 0)
    assert job["credits"] == {"held": 2, "captured": 0, "released": 0}
    assert (job["assets"], job["error"], job["warnings"]) == ([], None, [])
    assert job["request_id"] == "order-7"
    assert job["queue_info"]["position"] == 1
    assert at(job["deadline_at"]) - at(job["created_at"]) == timedelta(seconds=600)
    assert (job["started_at"], job["finished_at"]) == (None, None)
    assert answer.headers["Location"] == job["urls"]["self"] == f"{BASE}/api/jobs/{job['id']}"
    assert job["urls"]["socket"] == f"ws{BASE.removeprefix('http')}/api/ws"
    assert int(answer.headers["Retry-After"]) > 0
    assert door.show(job["id"]) == job


def test_whoever_says_nothing_of_size_and_seed_gets_both_chosen_and_told(door: Door) -> None:
    one, two = (door.post("/api/jobs", json={"kind": "image", "prompt": "x"}).json() for _ in range(2))
    assert one["params"].keys() == {"width", "height", "n", "format", "seed"}
    assert one["params"]["seed"] != two["params"]["seed"]


def test_a_model_answers_to_its_other_names_and_whole_floats_are_whole_numbers(door: Door) -> None:
    body = {"kind": "image", "model": "procedural-image", "prompt": "x", "params": {"width": 512.0}}
    job = door.post("/api/jobs", json=body).json()
    assert job["model"] == "procedural"
    assert job["params"]["width"] == 512


@pytest.mark.parametrize(
    "older",
    [
        {"prompt": "a fox"},
        {"prompt": "a fox", "model": "procedural", "provider": "procedural", "options": {"width": 256}},
        {"prompt": "a fox", "options": None, "model": None, "provider": None},
        {"prompt": "a fox", "params": {"width": 256}, "labels": {"a": "b"}},
    ],
)
def test_the_older_body_of_an_image_is_taken_and_answered_with_its_job_id(door: Door, older: dict[str, Any]) -> None:
    answer = door.post("/api/jobs/image-generation", json=older)
    assert answer.status_code == 202
    job = answer.json()
    assert job["jobId"] == job["id"]
    assert job["kind"] == "image"
    if older.get("options"):
        assert job["params"]["width"] == 256
    assert "jobId" not in door.show(job["id"])


def test_a_provider_that_does_not_offer_the_model_is_refused_by_name(door: Door) -> None:
    refusal = problem(door.post("/api/jobs/image-generation", json={"prompt": "x", "provider": "acme"}), 422)
    assert "procedural" in refusal["errors"]["provider"][0]


def test_a_kind_without_models_is_refused_as_unavailable(door: Door) -> None:
    desk, pictures = door.safelight.desk, Catalog(door.safelight.catalog.of_kind("image"))
    terms = TermsOfUsers(door.safelight.database, pictures)
    door.safelight.desk = replace(desk, catalog=pictures, terms=terms)
    problem(door.post("/api/jobs", json={"kind": "video", "prompt": "x"}), 422, "model_unavailable")


def test_an_unfinished_job_answers_202_and_when_to_ask_again(door: Door, worker: HandWorker) -> None:
    job_id = door.submit()["id"]
    waiting = door.get(f"/api/jobs/{job_id}")
    assert (waiting.status_code, waiting.headers["Retry-After"]) == (202, "1")
    claimed = worker.claim()
    running = door.get(f"/api/jobs/{job_id}")
    assert (running.status_code, running.json()["status"], running.json()["queue_info"]) == (202, "processing", None)
    assert at(running.json()["started_at"]) >= at(running.json()["created_at"])
    worker.complete(claimed)
    done = door.get(f"/api/jobs/{job_id}")
    assert (done.status_code, done.json()["status"]) == (200, "completed")
    assert "Retry-After" not in done.headers


def test_a_job_that_has_not_changed_is_answered_with_304(door: Door, worker: HandWorker) -> None:
    job_id = door.submit()["id"]
    seen = door.get(f"/api/jobs/{job_id}").headers["ETag"]
    assert seen.startswith('W/"')
    for header in (seen, f'"other", {seen}', seen.removeprefix("W/"), "*"):
        unchanged = door.get(f"/api/jobs/{job_id}", headers={"If-None-Match": header})
        assert (unchanged.status_code, unchanged.content, unchanged.headers["ETag"]) == (304, b"", seen), header
    assert door.get(f"/api/jobs/{job_id}", headers={"If-None-Match": 'W/"other"'}).status_code == 202
    claimed = worker.claim()
    claimed_tag = door.get(f"/api/jobs/{job_id}", headers={"If-None-Match": seen}).headers["ETag"]
    worker.report(claimed, 0.5)
    progressed = door.get(f"/api/jobs/{job_id}", headers={"If-None-Match": claimed_tag})
    assert (progressed.status_code, progressed.json()["progress"]) == (202, 0.5)


def test_moving_up_in_the_line_changes_the_etag(door: Door, worker: HandWorker) -> None:
    door.submit("first")
    second = door.submit("second")["id"]
    before = door.get(f"/api/jobs/{second}")
    assert before.json()["queue_info"]["position"] == 2
    worker.claim()
    after = door.get(f"/api/jobs/{second}", headers={"If-None-Match": before.headers["ETag"]})
    assert (after.status_code, after.json()["queue_info"]["position"]) == (202, 1)


def test_a_failed_job_says_why_and_what_to_do_and_costs_nothing(door: Door, worker: HandWorker) -> None:
    job_id = door.submit()["id"]
    worker.fail(worker.claim())
    answer = door.get(f"/api/jobs/{job_id}")
    job = answer.json()
    assert (answer.status_code, job["status"]) == (200, "failed")
    assert job["error"].keys() >= {"code", "message", "remedy", "retryable", "provider", "provider_code"}
    assert job["credits"] == {"held": 0, "captured": 0, "released": 1}
    assert at(job["finished_at"]) >= at(job["started_at"])


def test_a_waiting_job_is_canceled_at_once_and_costs_nothing(door: Door) -> None:
    job_id = door.submit()["id"]
    answer = door.post(f"/api/jobs/{job_id}/cancel")
    assert answer.status_code == 200
    assert answer.json()["was"] == "pending"
    job = answer.json()["job"]
    assert (job["status"], job["credits"]) == ("canceled", {"held": 0, "captured": 0, "released": 1})
    again = door.post(f"/api/jobs/{job_id}/cancel").json()
    assert (again["was"], again["job"]["status"]) == ("ended", "canceled")


def test_canceling_a_running_job_asks_its_worker_and_delivery_wins_if_it_comes_first(
    door: Door, worker: HandWorker
) -> None:
    job_id = door.submit()["id"]
    claimed = worker.claim()
    for _ in range(2):
        answer = door.post(f"/api/jobs/{job_id}/cancel").json()
        assert (answer["was"], answer["job"]["status"]) == ("processing", "processing")
    assert worker.report(claimed, 0.5).cancel_requested
    worker.complete(claimed)
    ended = door.post(f"/api/jobs/{job_id}/cancel").json()
    assert (ended["was"], ended["job"]["status"]) == ("ended", "completed")
    assert ended["job"]["credits"] == {"held": 0, "captured": 1, "released": 0}


def test_a_running_worker_stops_a_canceled_job_in_the_middle(sqlite_door: Door) -> None:
    door = sqlite_door
    big = door.post("/api/jobs", json={"kind": "image", "prompt": "x", "params": {"n": 10}})
    job_id = big.json()["id"]
    with door.working():
        door.until(job_id, "job.progress")
        assert door.post(f"/api/jobs/{job_id}/cancel").json()["was"] == "processing"
        job = door.until_ended(job_id)
    assert (job["status"], job["assets"]) == ("canceled", [])
    assert job["credits"] == {"held": 0, "captured": 0, "released": 10}


def test_the_same_key_and_body_give_the_same_job(door: Door, worker: HandWorker) -> None:
    body = {"kind": "image", "prompt": "x", "labels": {"a": "1"}}
    key = {"Idempotency-Key": "order-7 ü"}
    first = door.post("/api/jobs", json=body, headers=_latin(key))
    again = door.post("/api/jobs", json=dict(reversed(body.items())), headers=_latin(key))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(door.get("/api/jobs").json()["jobs"]) == 1
    worker.complete(worker.claim())
    later = door.post("/api/jobs", json=body, headers=_latin(key))
    assert (later.status_code, later.json()["status"]) == (200, "completed")


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "image", "prompt": "y"},
        {"kind": "image", "prompt": "x", "params": {"width": 512}},
        {"kind": "image", "prompt": "x", "labels": {"a": "1"}},
        {"kind": "image", "prompt": "x", "priority": 1},
        {"kind": "image", "prompt": "x", "model": "procedural"},
    ],
)
def test_the_same_key_with_another_body_is_refused(door: Door, other: dict[str, Any]) -> None:
    key = {"Idempotency-Key": "order-7"}
    door.post("/api/jobs", json={"kind": "image", "prompt": "x"}, headers=key)
    problem(door.post("/api/jobs", json=other, headers=key), 422, "idempotency_mismatch")
    assert len(door.get("/api/jobs").json()["jobs"]) == 1


def test_a_key_of_a_refused_request_is_free_again(door: Door) -> None:
    key = {"Idempotency-Key": "order-7"}
    problem(door.post("/api/jobs", json={"kind": "image"}, headers=key), 422)
    assert door.post("/api/jobs", json={"kind": "image", "prompt": "x"}, headers=key).status_code == 202


def test_the_same_key_sent_ten_times_at_once_makes_one_job(door: Door) -> None:
    body = {"kind": "image", "prompt": "x"}
    answers = door.at_once("POST", ["/api/jobs"] * 10, json=body, headers={"Idempotency-Key": "order-7"})
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 9


def test_a_higher_priority_is_taken_first(door: Door, worker: HandWorker) -> None:
    ids = {priority: door.submit(priority=priority)["id"] for priority in (0, -10, 10, 3)}
    assert door.show(ids[10])["queue_info"]["position"] == 1
    assert [worker.claim().id for _ in ids] == [ids[10], ids[3], ids[0], ids[-10]]


def test_a_job_with_a_start_is_not_in_line_before_it(door: Door, worker: HandWorker) -> None:
    start = datetime.now(UTC) + timedelta(days=2)
    text = start.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    later = door.submit(start_at=text)
    assert later["queue_info"] == {"position": None, "eta_s": None, "waiting_for": None, "due_at": text, "since": text}
    assert at(later["deadline_at"]) == at(text) + timedelta(hours=1)
    now = door.submit(start_at="2020-01-01T01:00:00+01:00")
    assert worker.claim().id == now["id"]
    with pytest.raises(ValueError, match="not enough values"):
        worker.claim()


def test_a_deadline_too_near_to_be_met_is_raised_with_a_warning(door: Door) -> None:
    job = door.submit(deadline=1)
    assert [warning["code"] for warning in job["warnings"]] == ["deadline_raised"]
    assert at(job["deadline_at"]) - at(job["created_at"]) == timedelta(seconds=30)


def test_labels_up_to_their_limits_come_back_as_they_were(door: Door) -> None:
    labels = {f"key_{n:060}": "v" * 256 for n in range(15)} | {"empty": ""}
    assert door.show(door.submit(labels=labels)["id"])["labels"] == labels


def test_a_prompt_at_its_limit_and_of_any_script_comes_back_as_it_was(door: Door) -> None:
    for prompt in ("x" * 8_000, "  two\n lines\t\u202e \U0001f9d1\u200d\U0001f3a8 \u0e01\u0e33 \ufffd ' \" \\ %s {}  "):
        assert door.show(door.submit(prompt)["id"])["prompt"] == prompt


def test_somebody_elses_job_is_as_absent_as_one_that_never_was(door: Door) -> None:
    job_id = door.submit()["id"]
    never = "01890000-0000-7000-8000-000000000000"
    door.give_away(job_id)
    for path in ("", "/events"):
        problem(door.get(f"/api/jobs/{job_id}{path}"), 404, "not_found")
    problem(door.post(f"/api/jobs/{job_id}/cancel"), 404, "not_found")
    assert door.get("/api/jobs").json()["jobs"] == []
    details = [door.get(f"/api/jobs/{one}").json()["detail"].replace(one, "") for one in (job_id, never)]
    assert details[0] == details[1]


def test_links_begin_with_the_address_the_caller_used(door: Door) -> None:
    job_id = door.submit()["id"]
    for host in ("localhost:8000", "127.0.0.1:9", "[::1]:8000", "app.localhost"):
        job = door.get(f"/api/jobs/{job_id}", headers={"Host": host}).json()
        assert job["urls"]["self"] == f"http://{host}/api/jobs/{job_id}"


def _latin(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), text.encode("latin-1")) for name, text in headers.items()]


def test_without_the_folder_of_its_files_no_job_is_taken_and_the_folder_is_named(sqlite_door: Door) -> None:
    root = sqlite_door.safelight.store.root
    assert root is not None
    shutil.rmtree(root)
    refused = problem(sqlite_door.post("/api/jobs", json={"kind": "image", "prompt": "x"}), 503, "unavailable")
    assert str(root) in refused["detail"]
    assert sqlite_door.get("/api/jobs").json()["jobs"] == []


@pytest.mark.parametrize("full", ["files", "database"])
def test_no_job_is_taken_when_the_disk_of_files_or_of_the_database_is_nearly_full(
    sqlite_door: Door, full: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = sqlite_door.safelight.database
    assert isinstance(database, SqliteDatabase)
    folders = {"files": sqlite_door.safelight.store.root, "database": database.path.parent}
    usage = shutil.disk_usage(database.path.parent)
    free = {folder: LEAST_FREE_BYTES - 1 if name == full else LEAST_FREE_BYTES for name, folder in folders.items()}
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=free[folder]))
    problem(sqlite_door.post("/api/jobs", json={"kind": "image", "prompt": "x"}), 503, "unavailable")
    free[folders[full]] = LEAST_FREE_BYTES
    sqlite_door.submit()
