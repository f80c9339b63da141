"""What happened to a job, when, and how long each part took, beside what its model usually needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from safelight.diagnosis.explain.job_facts import CallRow, JobFacts
from safelight.domain.clock import as_rfc3339
from safelight.domain.jobs import EventType
from safelight.services.durations import Duration

_NAMES = {
    EventType.RETRYING: "tried_again",
    EventType.REQUEUED: "put_back",
    EventType.CANCEL_REQUESTED: "cancel_requested",
    EventType.ASSET_RECOVERED: "asset_recovered",
    EventType.COMPLETED: "completed",
    EventType.FAILED: "failed",
    EventType.CANCELED: "canceled",
    EventType.PARTIAL: "partial",
}


@dataclass(frozen=True, slots=True)
class Step:
    """`took_s` is None for a moment, and of what still goes on the time so far. `note` may name insides."""

    at: float
    stage: str
    took_s: float | None = None
    note: str = ""
    usual: Duration | None = None

    def body(self, *, inside: bool = True) -> dict[str, Any]:
        return {
            "at": as_rfc3339(self.at),
            "stage": self.stage,
            "took_s": None if self.took_s is None else round(self.took_s, 3),
            "note": self.note if inside else "",
            "usual_s": {"p50": self.usual.p50_s, "p95": self.usual.p95_s} if self.usual else None,
        }


def timeline(facts: JobFacts) -> list[Step]:
    """In the order in which it happened."""
    steps = [*_queued(facts), *_calls(facts), *_storing(facts), *_moments(facts), *_deliveries(facts)]
    steps += _recoveries(facts)
    return sorted(steps, key=lambda step: step.at)


def _queued(facts: JobFacts) -> Iterator[Step]:
    """From when it could start, and from each return to the queue, until a worker took it."""
    job = facts.job
    yield Step(job.created_at, "submitted", note=f"{job.price} credits held")
    since: float | None = job.start_at
    for event in facts.events:
        if event.type == EventType.STARTED and since is not None:
            yield Step(
                since, "queued", max(0.0, event.at - since), note=f"try {event.details.get('attempt', '')}".strip()
            )
            since = None
        elif event.type in (EventType.RETRYING, EventType.REQUEUED):
            since = event.at
    if since is not None and (job.is_live or job.started_at is None):
        yield Step(since, "queued", max(0.0, (job.finished_at or facts.now) - since))


def _calls(facts: JobFacts) -> Iterator[Step]:
    for call in facts.calls:
        until = call.ended_at or facts.job.finished_at or facts.now
        yield Step(call.sending_at, "provider", max(0.0, until - call.sending_at), _of_call(call), facts.usual)


def _of_call(call: CallRow) -> str:
    parts = [call.provider, call.model, call.state]
    if call.accepted_at is not None and call.remote_id:
        parts.append(f"accepted after {call.accepted_at - call.sending_at:.1f} s as {call.remote_id}")
    if call.error:
        parts.append(call.error)
    return ", ".join(parts)


def _storing(facts: JobFacts) -> Iterator[Step]:
    """From the provider's answer until the files were kept."""
    job = facts.job
    made = max((call.ended_at or 0.0 for call in facts.calls if call.state == "succeeded"), default=0.0)
    if made and job.finished_at and job.finished_at > made:
        yield Step(made, "storing", job.finished_at - made)


def _moments(facts: JobFacts) -> Iterator[Step]:
    for event in facts.events:
        name = _NAMES.get(EventType(event.type)) if event.type in set(EventType) else None
        if name:
            yield Step(event.at, name, note=str(event.details.get("reason") or ""))


def _recoveries(facts: JobFacts) -> Iterator[Step]:
    for each in facts.recoveries:
        what = f"{each.action} by {each.requested_by}, recovery {each.id}"
        yield Step(each.requested_at, "recovery_planned", note=f"{what}, for {as_rfc3339(each.effective_at)}")
        if each.at is not None:
            yield Step(each.at, "recovered", note=f"{each.outcome}: {what}")
        elif each.stopped_by is not None:
            yield Step(each.requested_at, "recovery_stopped", note=f"by {each.stopped_by}: {what}")


def _deliveries(facts: JobFacts) -> Iterator[Step]:
    for delivery, tries in facts.deliveries:
        for each in tries:
            note = f"{delivery.type} to {delivery.url}: {each.error or f'HTTP status {each.status}'}"
            yield Step(each.at, "webhook", each.took_s, note)
