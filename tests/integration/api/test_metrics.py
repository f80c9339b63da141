"""Metrics and the health of queues: real numbers, in the shapes that dashboards read."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from safelight.services import spend, sweep
from safelight.services.pause import pause
from tests.support.door import Door

LABELS = {"type", "status", "provider", "code", "le", "queue", "role", "outcome", "thorough"}


def samples(door: Door, path: str = "/metrics") -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = door.get(path)
    assert answer.status_code == 200
    found = [sample for family in families(answer.text) for sample in family.samples]
    keys = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in found]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, (sample.value for sample in found), strict=True))


def value(found: dict[Any, float], name: str, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]


def test_what_ended_is_counted_by_kind_status_and_provider(door: Door) -> None:
    with door.working():
        bodies = [door.submit() for _ in range(3)]
        for body in bodies:
            assert door.until_ended(body["id"])["status"] == "completed"
    canceled = door.submit()["id"]
    door.post(f"/api/jobs/{canceled}/cancel")
    door.submit()
    found = samples(door)
    assert value(found, "jobs_total", type="image", status="completed", provider="procedural") == 3
    assert value(found, "jobs_total", type="image", status="canceled", provider="none") == 1
    paid = sum(door.show(body["id"])["credits"]["captured"] for body in bodies)
    assert value(found, "credits_used_total", type="image", provider="procedural") == paid
    assert value(found, "job_duration_seconds_count", type="image") == 3
    assert value(found, "job_duration_seconds_bucket", type="image", le="+Inf") == 3
    assert value(found, "job_duration_seconds_sum", type="image") > 0
    assert value(found, "queue_depth", queue="image") == 1
    assert value(found, "active_jobs", queue="image") == 0
    assert value(found, "safelight_credits_held") == bodies[0]["credits"]["held"]
    assert value(found, "safelight_claimed_jobs_total", queue="image") >= 3
    assert value(found, "safelight_queue_wait_seconds_count", queue="image") >= 3
    assert value(found, "safelight_provider_call_seconds_count", provider="procedural", outcome="succeeded") >= 3
    assert value(found, "safelight_submit_seconds_count", outcome="accepted") >= 5


def test_a_job_that_failed_is_counted_by_its_code(door: Door) -> None:
    job_id = door.submit(deadline=30)["id"]
    door._change(job_id, deadline_at=0.0)
    door.run(door.safelight.database.write(sweep.expire))
    assert door.show(job_id)["error"]["code"] == "deadline_exceeded"
    found = samples(door)
    assert value(found, "job_errors_total", type="image", code="deadline_exceeded", provider="none") == 1
    assert value(found, "jobs_total", type="image", status="failed", provider="none") == 1
    assert not any(name == "job_duration_seconds_count" for name, _ in found)


def test_what_providers_cost_is_told_over_all_days(door: Door) -> None:
    for day in ("2026-01-30", "2026-01-31"):
        door.run(door.safelight.database.write(spend.reserve, spend.Spending("openai", day, 0.25, None)))
    found = samples(door)
    assert value(found, "safelight_provider_cost_usd", provider="openai") == 0.5
    assert value(found, "safelight_provider_calls", provider="openai") == 2


def test_a_batch_is_counted_beside_its_items(door: Door) -> None:
    batch = door.post("/api/jobs", json={"kind": "batch", "prompts": ["a", "b"]}).json()["id"]
    door.post(f"/api/jobs/{batch}/cancel")
    found = samples(door)
    assert value(found, "jobs_total", type="batch", status="canceled", provider="none") == 1
    assert value(found, "jobs_total", type="image", status="canceled", provider="none") == 2


def test_labels_are_bounded_and_no_label_names_a_user_or_a_job(sqlite_door: Door) -> None:
    job_id = sqlite_door.submit(prompt="a secret pier")["id"]
    with sqlite_door.working():
        sqlite_door.until_ended(job_id)
    text = sqlite_door.get("/metrics").text
    assert {name for _, labels in samples(sqlite_door) for name, _ in labels} <= LABELS
    for private in ("local", job_id, "secret pier"):
        assert private not in text


def test_both_addresses_answer_as_prometheus_wants_it(sqlite_door: Door) -> None:
    sqlite_door.submit()
    answer = sqlite_door.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert samples(sqlite_door).keys() == samples(sqlite_door, "/api/health/queues/metrics").keys()


def test_queues_tell_what_waits_runs_and_ended_in_the_shape_of_the_contract(door: Door) -> None:
    with door.working():
        for body in [door.submit() for _ in range(2)]:
            door.until_ended(body["id"])
        while_working = door.get("/api/health/queues").json()
    door.submit()
    door.submit(start_at="2090-01-01T00:00:00Z")
    body = door.get("/api/health/queues").json()
    assert set(body) == {
        "status", "timestamp", "backend", "cloudTasksEnabled", "queues", "processingStats", "findings",
    }  # fmt: skip
    image = body["queues"]["image"]
    assert image == {
        "depth": 2, "waiting": 1, "active": 0, "completed": 2, "failed": 0, "delayed": 1, "paused": False,
        "oldestWaitingSeconds": image["oldestWaitingSeconds"], "processingRate": 0.4, "errorRate": 0.0, "workers": 0,
    }  # fmt: skip
    assert 0 <= image["oldestWaitingSeconds"] < 60
    stats = body["processingStats"]
    assert (stats["totalJobsProcessed"], stats["activeJobs"], stats["errorRate"]) == (2, 0, 0.0)
    assert stats["averageProcessingTime"] > 0
    assert (body["backend"], body["cloudTasksEnabled"]) == ("database", False)
    assert while_working["queues"]["image"]["workers"] == 1
    assert (while_working["status"], while_working["findings"]) == ("healthy", [])


def test_a_paused_queue_is_told_and_healthy_and_one_without_any_worker_is_unhealthy(sqlite_door: Door) -> None:
    sqlite_door.submit()
    assert sqlite_door.get("/api/health/queues").json()["status"] == "unhealthy"
    with sqlite_door.working():
        sqlite_door.run(sqlite_door.safelight.database.write(pause, "image", "repairs"))
        sqlite_door.submit()
        body = sqlite_door.get("/api/health/queues").json()
    assert body["queues"]["image"]["paused"]
    assert body["queues"]["image"]["waiting"] >= 1
    assert body["status"] == "healthy", "an operator paused it on purpose"
    assert [finding["code"] for finding in body["findings"]] == ["QUEUE_PAUSED"]


@pytest.mark.parametrize("path", ["/metrics", "/api/health/queues", "/api/health/queues/metrics"])
def test_an_empty_installation_answers_too(door: Door, path: str) -> None:
    assert door.get(path).status_code == 200
