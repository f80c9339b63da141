"""A job that waits where all is well, and words to change one thing about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from safelight.diagnosis.explain.job_facts import CallRow, JobFacts, JobRow, QueueRow, Routes
from safelight.events.log import StoredEvent
from safelight.services.deliveries import Delivery, Try
from safelight.services.durations import Duration
from safelight.services.job_error import error_json
from safelight.services.read_jobs import Place
from tests.support.facts import NOW, standing, worker

SUBMITTED = NOW - 30


def event(type: str, at: float, **payload: Any) -> StoredEvent:
    return StoredEvent(1, f"job.{type}", json.dumps(payload), at)


def call(state: str = "accepted", **changes: Any) -> CallRow:
    """A call at `fake`, sent twenty seconds ago."""
    row = CallRow("call", 1, "fake", "m", state, "remote-1", "w1", NOW - 20, NOW - 19, None, None, None, None)
    return row._replace(**changes)


def place(ahead: int = 0, running: int = 0, slots: int = 4) -> Place:
    return Place(ahead, 5.0 * ahead, running, slots, queue_paused=False)


def waiting(**changes: Any) -> JobFacts:
    """It was submitted half a minute ago, and a worker is about to take it: changes of its row as `job_...`."""
    row = JobRow(
        number=7,
        id="job",
        user_id="ann",
        kind="image",
        model="m",
        provider_pin=None,
        queue="image",
        priority=0,
        status="pending",
        stage="queued",
        progress=0.0,
        error=None,
        ready=True,
        waiting_for=None,
        due_at=None,
        vstart=1.0,
        resumes=False,
        worker_id=None,
        attempt=0,
        max_attempts=3,
        lost_n=0,
        claimed_at=None,
        created_at=SUBMITTED,
        start_at=SUBMITTED,
        started_at=None,
        finished_at=None,
        deadline_at=NOW + 3_600,
        cancel_requested_at=None,
        price=10,
        captured=0,
        resumed_call=None,
        callback=None,
    )
    facts = JobFacts(
        now=NOW,
        job=row,
        queue=QueueRow("image", None, None),
        events=(event("submitted", SUBMITTED, price_credits=10),),
        place=place(ahead=2, running=2),
        processes=(worker(),),
        gates={"fake": standing()},
        routes=Routes(("fake",)),
    )
    return changed(facts, changes)


def running(**changes: Any) -> JobFacts:
    """Claimed 25 seconds ago, at its provider since twenty."""
    given = {
        "job_status": "processing",
        "job_stage": "running",
        "job_ready": False,
        "job_worker_id": "w1",
        "job_attempt": 1,
        "job_claimed_at": NOW - 25,
        "job_started_at": NOW - 25,
        "calls": (call(),),
        "usual": Duration("m", 9, 30.0, 60.0),
    }
    return waiting(**{**given, **changes})


def ended(status: str, code: str = "", message: str = "It broke.", **changes: Any) -> JobFacts:
    """Ended five seconds ago."""
    error = error_json(code, message, "fake") if code else None
    given = {
        "job_status": status,
        "job_stage": "delivered",
        "job_error": error,
        "job_finished_at": NOW - 5,
        "job_captured": 10 if status == "completed" else 0,
        "calls": (call("succeeded" if status == "completed" else "failed", ended_at=NOW - 6),),
        "job_worker_id": None,
    }
    return running(**{**given, **changes})


def delivery(state: str, status: int) -> tuple[Delivery, tuple[Try, ...]]:
    """A webhook that was tried once."""
    due = NOW + 60 if state == "waiting" else None
    made = Delivery(1, "d", 5, "job.completed", "http://a.example/hook", state, 1, due, NOW - 5, None)
    return made, (Try(1, 1, NOW - 4, 0.2, status, None),)


def changed(facts: JobFacts, changes: Mapping[str, Any]) -> JobFacts:
    row = {name.removeprefix("job_"): value for name, value in changes.items() if name.startswith("job_")}
    rest = {name: value for name, value in changes.items() if not name.startswith("job_")}
    return replace(facts, job=facts.job._replace(**row), **rest)
