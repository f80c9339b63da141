"""Explain a job: one primary verdict, others after it, the timeline, what comes next, in three voices. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from safelight.diagnosis.explain import at_provider, running, waiting
from safelight.diagnosis.explain.cause import NOTHING_TO_DO, Cause, cause
from safelight.diagnosis.explain.ended import ended
from safelight.diagnosis.explain.job_facts import JobFacts
from safelight.diagnosis.explain.timeline import Step, timeline
from safelight.diagnosis.finding import Severity
from safelight.diagnosis.words import count
from safelight.domain.clock import as_rfc3339
from safelight.domain.jobs import Status
from safelight.services import read_jobs

WHILE_PENDING: Final = (
    waiting.starts_later,
    waiting.queue_paused,
    waiting.no_worker_for_queue,
    waiting.worker_too_old,
    waiting.scheduled,
    waiting.model_retired,
    waiting.provider_not_configured,
    at_provider.shut_gate,
    at_provider.cooled,
    waiting.user_limit,
    waiting.cancel_pending,
    at_provider.provider_unknown,
    waiting.sweeper_dead,
    waiting.workers_saturated,
    waiting.disk_low,
)
WHILE_PROCESSING: Final = (
    running.lease_expired,
    waiting.sweeper_dead,
    waiting.cancel_pending,
    at_provider.provider_unknown,
    at_provider.uploading,
    at_provider.provider_queue,
    at_provider.provider_slow,
)


@dataclass(frozen=True, slots=True)
class Next:
    """What happens if nobody does anything, and about when; `at` None is at once or never."""

    at: float | None
    what: str


@dataclass(frozen=True, slots=True)
class Explanation:
    facts: JobFacts
    causes: tuple[Cause, ...]
    steps: tuple[Step, ...]
    next: Next | None

    @property
    def primary(self) -> Cause:
        return self.causes[0]

    @property
    def would_start_if(self) -> list[str]:
        waits = self.facts.item.job if self.facts.item else self.facts.job
        if waits.status != Status.PENDING:
            return []
        return [found.sooner for found in self.causes if found.sooner]

    def voices(self) -> dict[str, str]:
        finding = self.primary.finding
        command = f" ({finding.remedy.command})" if finding.remedy.command else ""
        evidence = ", ".join(f"{name}={value}" for name, value in finding.evidence.items())
        return {
            "user": self.user,
            "developer": f"{finding.code}: {finding.symptom} {finding.cause} [{evidence}]",
            "operator": f"{finding.symptom} {finding.cause} {finding.remedy.text}{command}",
        }

    @property
    def user(self) -> str:
        """What its user is told; nothing of the inside."""
        job = self.facts.job
        is_well = self.primary.finding.severity is Severity.INFO
        if is_well or self.next is None or self.next.at != job.deadline_at:
            return self.primary.user
        at = as_rfc3339(job.deadline_at)
        return f"{self.primary.user} Else it fails at {at} and returns {count(job.price, 'credit')}."

    def body(self) -> dict[str, Any]:
        """For operators: everything (FRONT_DOORS, section 8)."""
        return {
            "job": _job(self.facts),
            "verdict": self.primary.finding.body(),
            "others": [found.finding.body() for found in self.causes[1:]],
            "timeline": [step.body() for step in self.steps],
            "next": _next(self.next),
            "would_start_if": self.would_start_if,
            "voices": self.voices(),
        }

    def user_body(self) -> dict[str, Any]:
        """For the job's owner: the same shape, with nothing of the inside in it."""
        finding = replace(
            self.primary.finding, subject="job", symptom=self.user, evidence={}, cause="", remedy=NOTHING_TO_DO
        )
        return {
            "job": _job(self.facts),
            "verdict": finding.body(),
            "others": [],
            "timeline": [step.body(inside=False) for step in self.steps],
            "next": _next(self.next),
            "would_start_if": [],
            "voices": {"user": self.user},
        }


def explain(facts: JobFacts) -> Explanation:
    causes = _causes(facts)
    return Explanation(facts, tuple(causes), tuple(timeline(facts)), _what_comes(facts, causes[0]))


def _causes(facts: JobFacts) -> list[Cause]:
    if not facts.job.is_live:
        return ended(facts)
    if facts.job.kind == "batch":
        return _of_batch(facts)
    if facts.job.status == Status.PROCESSING:
        return waiting.first(facts, WHILE_PROCESSING) or [running.healthy_run(facts)]
    if found := waiting.first(facts, WHILE_PENDING):
        return _each_once(found)
    return [waiting.worker_stalled(facts) or waiting.healthy_wait(facts)]


def _each_once(found: list[Cause]) -> list[Cause]:
    """Of two with the same code the first."""
    first = dict[str, Cause]()
    for each in found:
        first.setdefault(each.finding.code, each)
    return list(first.values())


def _of_batch(facts: JobFacts) -> list[Cause]:
    """A batch waits for what its first unfinished item waits for."""
    items = facts.items or {}
    done = sum(n for status, n in items.items() if status not in (Status.PENDING, Status.PROCESSING))
    share = f"{done} of {count(sum(items.values()), 'item')} have ended."
    if facts.item is None:
        why = "The sweep ends it with its last item."
        return [cause(facts, "HEALTHY_RUN", Severity.INFO, share, why, NOTHING_TO_DO, user=share)]
    return [replace(found, user=f"{share} {found.user}") for found in _causes(facts.item)]


def _what_comes(facts: JobFacts, primary: Cause) -> Next | None:
    """If nobody does anything."""
    job = facts.job
    if not job.is_live:
        waits = [delivery.due_at for delivery, _ in facts.deliveries if delivery.due_at]
        return Next(min(waits), "Its receiver is told again.") if waits else None
    if job.kind == "batch":
        return explain(facts.item).next if facts.item else Next(None, "The sweep ends it.")
    if job.due_at is not None and job.due_at > facts.now:
        return Next(job.due_at, "It takes its turn then.")
    if primary.finding.code == "LEASE_EXPIRED":
        due_in = primary.finding.evidence.get("sweep_due_in_s")
        return Next(facts.now + (due_in if isinstance(due_in, float) else 0.0), "It is taken back and run again.")
    eta_s = read_jobs.wait_s(facts.place) if facts.place and job.ready else None
    healthy = primary.finding.severity is Severity.INFO
    if healthy and eta_s is not None:
        return Next(facts.now + eta_s, "A worker takes it.")
    if healthy and (usually := _usually_done(facts)):
        return usually
    if primary.finding.code == "QUEUE_PAUSED" and job.started_at is None:
        return Next(None, "It waits until the queue is resumed; the time of the pause does not count.")
    return Next(job.deadline_at, f"It fails and returns {count(job.price, 'credit')}.")


def _usually_done(facts: JobFacts) -> Next | None:
    """By when such a job is done, by the history of its model."""
    since, usual = facts.job.started_at, facts.usual
    if facts.job.status != Status.PROCESSING or since is None or usual is None:
        return None
    shares = ((usual.p50_s, "Half of its kind were done by then."), (usual.p95_s, "Nearly all of its kind were done."))
    return next((Next(since + s, what) for s, what in shares if since + s > facts.now), None)


def _next(found: Next | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"at": None if found.at is None else as_rfc3339(found.at), "what": found.what}


def _job(facts: JobFacts) -> dict[str, Any]:
    job = facts.job
    return {
        "id": job.id,
        "kind": job.kind,
        "model": job.model or None,
        "queue": job.queue or None,
        "status": job.status,
        "stage": job.stage,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "created_at": as_rfc3339(job.created_at),
        "started_at": as_rfc3339(job.started_at) if job.started_at else None,
        "finished_at": as_rfc3339(job.finished_at) if job.finished_at else None,
        "deadline_at": as_rfc3339(job.deadline_at),
        "price_credits": job.price,
    }
