"""Each reason why a job waits, runs or ended is named by its code, and the first in order is the verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from safelight.diagnosis.explain.explanation import explain
from safelight.diagnosis.explain.job_facts import JobFacts, QueueRow, Routes
from safelight.diagnosis.finding import Severity
from safelight.domain.gates import Cause, Shut
from safelight.domain.outcomes import ErrorClass
from tests.support.commands import assert_exists
from tests.support.facts import GB, NOW, gone, standing, tripped, worker
from tests.support.job_facts import call, delivery, ended, event, place, running, waiting

PAUSED = QueueRow("image", NOW - 60, "a look at it")
AT_GATE = {"job_ready": False, "job_waiting_for": "gate:fake", "place": place(slots=4)}
BACK = {"job_ready": False, "job_due_at": NOW + 40, "job_started_at": NOW - 20, "job_attempt": 1}


def returned(code: str) -> JobFacts:
    return waiting(**BACK, events=(event("retrying", NOW - 5, reason="It said so.", code=code),))


def at_gate(cause: Cause) -> JobFacts:
    return waiting(**AT_GATE, gates={"fake": standing(shut=Shut("fake", cause, NOW + 9, "it is shut"))})


JOBS: Mapping[str, JobFacts] = {
    "QUEUE_PAUSED": waiting(queue=PAUSED),
    "NO_WORKER_FOR_QUEUE": waiting(processes=(gone(), worker("v", queues=["video"])), place=place(slots=0)),
    "WORKER_TOO_OLD": waiting(required_version="2.0"),
    "SCHEDULED": returned("timeout"),
    "MODEL_RETIRED": waiting(routes=Routes((), ("fake",), "n")),
    "PROVIDER_NOT_CONFIGURED": waiting(processes=(worker(providers=["other"]),)),
    "PROVIDER_UNAUTHORIZED": waiting(**AT_GATE, gates={"fake": tripped(ErrorClass.UNAUTHORIZED)}),
    "PROVIDER_OUT_OF_CREDIT": waiting(**AT_GATE, gates={"fake": tripped(ErrorClass.OUT_OF_CREDIT)}),
    "PROVIDER_BREAKER_OPEN": waiting(**AT_GATE, gates={"fake": tripped(ErrorClass.UNAVAILABLE)}),
    "PROVIDER_COOLDOWN": at_gate(Cause.COOLDOWN),
    "PROVIDER_LIMIT": at_gate(Cause.CONCURRENCY),
    "SPEND_CEILING": at_gate(Cause.SPEND_CEILING),
    "PROVIDER_COLD_START": returned("cold_start"),
    "USER_LIMIT": waiting(job_ready=False, job_waiting_for="user:ann", running_of_user=2),
    "WORKERS_SATURATED": waiting(place=place(ahead=9, running=4)),
    "SWEEPER_DEAD": waiting(job_ready=False, job_due_at=NOW - 300, processes=(worker(swept_at=NOW - 900),)),
    "CANCEL_PENDING": running(job_cancel_requested_at=NOW - 2),
    "DISK_LOW": waiting(free_bytes=GB // 8),
    "WORKER_STALLED": waiting(place=place(ahead=0)),
    "HEALTHY_WAIT": waiting(),
    "LEASE_EXPIRED": running(processes=(gone(), worker("w2"))),
    "PROVIDER_UNKNOWN": running(calls=(call("unknown", unknown_at=NOW - 9, remote_id=None),)),
    "PROVIDER_QUEUE": running(job_stage="provider_queue"),
    "PROVIDER_SLOW": running(calls=(call(sending_at=NOW - 90),)),
    "PROVIDER_SILENT": running(calls=(call("sending", sending_at=NOW - 400, remote_id=None),)),
    "UPLOADING": running(job_stage="uploading", calls=(call("succeeded", ended_at=NOW - 1),)),
    "HEALTHY_RUN": running(),
    "DELIVERED": ended("completed"),
    "DELIVERY_MISSING": ended("completed", deliveries=(delivery("failed", 410),)),
    "CANCELED_BY": ended("canceled", events=(event("canceled", NOW - 5, by="user"),)),
    "CONTENT_REJECTED": ended("failed", "content_rejected"),
    "INVALID_PARAMS": ended("failed", "invalid_request"),
    "OUT_OF_MEMORY": ended("failed", "invalid_request", "CUDA out of memory. Tried to allocate 2 GB"),
    "PROVIDER_ERROR": ended("failed", "unavailable"),
    "DEADLINE_EXCEEDED": ended("failed", "deadline_exceeded", calls=()),
    "WORKER_DIED": ended("failed", "retries_exhausted", job_lost_n=5),
    "RETRIES_EXHAUSTED": ended("failed", "retries_exhausted", job_attempt=3),
    "STORAGE_WRITE_FAILED": ended("failed", "storage_failed"),
    "FAILED_BY_OPERATOR": ended("failed", "failed_by_operator"),
    "ITEMS_FAILED": ended("partial", job_kind="batch", items={"completed": 3, "failed": 2}),
}


@pytest.mark.parametrize("code", JOBS)
def test_the_verdict_is_what_holds_the_job_up_or_ended_it(code: str) -> None:
    explanation = explain(JOBS[code])
    verdict = explanation.primary.finding
    assert verdict.code == code
    assert verdict.symptom
    assert verdict.cause
    assert verdict.remedy.text


@pytest.mark.parametrize("code", JOBS)
def test_its_user_is_told_in_words_that_name_nothing_of_the_inside(code: str) -> None:
    explanation = explain(JOBS[code])
    said = json.dumps(explanation.user_body())
    assert explanation.voices()["user"]
    for inside in ("4711", '"here"', "on here", "w1", "remote-1", "safelight ", "a.example"):
        assert inside not in said, inside


def test_every_command_that_a_remedy_names_exists() -> None:
    commands = {explain(facts).primary.finding.remedy.command for facts in JOBS.values()} - {None}
    assert len(commands) > 5
    for command in commands:
        assert command is not None
        assert_exists(command)


def test_a_running_job_says_by_when_such_jobs_are_done() -> None:
    assert [explain(running(job_started_at=NOW - s)).body()["next"]["what"] for s in (10, 40)] == [
        "Half of its kind were done by then.",
        "Nearly all of its kind were done.",
    ]


@pytest.mark.parametrize("code", ["HEALTHY_WAIT", "HEALTHY_RUN", "PROVIDER_QUEUE", "UPLOADING", "DELIVERED"])
def test_what_goes_as_it_should_is_no_trouble(code: str) -> None:
    assert explain(JOBS[code]).primary.finding.severity is Severity.INFO


@pytest.mark.parametrize(
    ("code", "ended_as"),
    [("unauthorized", "PROVIDER_UNAUTHORIZED"), ("out_of_credit", "PROVIDER_OUT_OF_CREDIT"),
     ("model_retired", "MODEL_RETIRED"), ("spend_ceiling", "SPEND_CEILING"), ("provider_unknown", "PROVIDER_UNKNOWN")],
)  # fmt: skip
def test_an_ended_job_keeps_the_code_of_what_ended_it(code: str, ended_as: str) -> None:
    assert explain(ended("failed", code)).primary.finding.code == ended_as


def test_of_several_reasons_the_first_in_order_is_the_verdict_and_the_others_follow() -> None:
    facts = waiting(queue=PAUSED, processes=(gone(),), place=place(slots=0))
    body = explain(facts).body()
    assert (body["verdict"]["code"], [f["code"] for f in body["others"]]) == ("QUEUE_PAUSED", ["NO_WORKER_FOR_QUEUE"])
    assert body["would_start_if"] == ["queue 'image' were resumed", "a worker served 'image'"]


def test_a_missing_worker_is_told_with_its_end_and_what_comes_if_nobody_does_anything() -> None:
    body = explain(JOBS["NO_WORKER_FOR_QUEUE"]).body()
    assert "worker 4711 on here" in body["verdict"]["cause"]
    assert body["verdict"]["affects"] == {"jobs": 1, "credits": 10}
    assert body["next"] == {"at": "2027-01-15T09:00:00.000Z", "what": "It fails and returns 10 credits."}
    assert body["voices"]["user"].endswith("Else it fails at 2027-01-15T09:00:00.000Z and returns 10 credits.")
    assert "safelight worker --queue image" in body["voices"]["operator"]
    assert "other_workers=1" in body["voices"]["developer"]


def test_a_delayed_job_says_when_it_starts_and_nothing_is_wrong_with_it() -> None:
    explanation = explain(waiting(job_ready=False, job_due_at=NOW + 90, job_start_at=NOW + 90))
    assert explanation.primary.finding.code == "SCHEDULED"
    assert explanation.primary.finding.severity is Severity.INFO
    assert explanation.next is not None
    assert explanation.next.at == NOW + 90


def test_a_job_for_next_year_waits_for_its_time_and_not_for_a_worker() -> None:
    facts = waiting(job_ready=False, job_due_at=NOW + 9e6, job_start_at=NOW + 9e6, processes=(), place=place(slots=0))
    codes = [found.finding.code for found in explain(facts).causes]
    assert codes == ["SCHEDULED", "NO_WORKER_FOR_QUEUE"]


def test_a_try_that_failed_is_told_with_its_reason_and_the_next_one() -> None:
    finding = explain(returned("timeout")).primary.finding
    assert finding.cause == "It said so."
    assert "1 of 3 tries" in finding.symptom


def test_the_deadline_is_told_with_what_the_time_went_into() -> None:
    facts = ended("failed", "deadline_exceeded", job_start_at=NOW - 105, calls=(call("failed", ended_at=NOW - 5),))
    assert explain(facts).primary.finding.cause == (
        "It spent its time on: its queue 80 s, its provider 15 s, between tries and storing 5.0 s."
    )


def test_every_try_is_told_when_all_were_in_vain() -> None:
    tries = tuple(event("retrying", NOW - n, reason=f"reason {n}", code="timeout") for n in (40, 30))
    cause = explain(ended("failed", "retries_exhausted", "the last", events=tries)).primary.finding.cause
    assert cause == "Each try: reason 40; reason 30; the last."


def test_the_timeline_tells_each_part_with_its_time_beside_what_is_usual() -> None:
    facts = ended(
        "completed",
        job_created_at=NOW - 40,
        job_start_at=NOW - 40,
        events=(
            event("submitted", NOW - 40, price_credits=10),
            event("started", NOW - 30, attempt=1),
            event("completed", NOW - 5),
        ),
        deliveries=(delivery("delivered", 200),),
    )
    steps = [(step.stage, step.took_s) for step in explain(facts).steps]
    assert steps == [
        ("submitted", None),
        ("queued", 10.0),
        ("provider", 14.0),
        ("storing", 1.0),
        ("completed", None),
        ("webhook", 0.2),
    ]
    provider = next(step.body() for step in explain(facts).steps if step.stage == "provider")
    assert provider["usual_s"] == {"p50": 30.0, "p95": 60.0}
    assert "accepted after 1.0 s as remote-1" in provider["note"]


def test_a_batch_waits_for_what_its_first_unfinished_item_waits_for() -> None:
    batch = waiting(
        job_kind="batch", job_queue="", job_model="", items={"pending": 1, "completed": 3}, item=JOBS["QUEUE_PAUSED"]
    )
    explanation = explain(batch)
    assert explanation.primary.finding.code == "QUEUE_PAUSED"
    assert explanation.user.startswith("3 of 4 items have ended.")


def test_a_message_that_never_arrived_stands_beside_the_failure_it_was_about() -> None:
    facts = ended("failed", "content_rejected", deliveries=(delivery("failed", 410),))
    assert [found.finding.code for found in explain(facts).causes] == ["CONTENT_REJECTED", "DELIVERY_MISSING"]
