"""Why a job that runs has not ended yet."""

from __future__ import annotations

from safelight.diagnosis.explain.cause import NOTHING_TO_DO, Cause, cause
from safelight.diagnosis.explain.job_facts import JobFacts
from safelight.diagnosis.finding import Remedy, Severity
from safelight.diagnosis.words import how_it_left, named, span
from safelight.domain.clock import as_rfc3339


def lease_expired(facts: JobFacts) -> Cause | None:
    """Its worker is gone, and the sweep has not taken it back yet."""
    holder = facts.holder
    if holder is not None and holder.live:
        return None
    who = how_it_left(holder.process, facts.now) if holder else "it has no row any more"
    silent_s = facts.now - holder.process.beat_at if holder else facts.lease_s
    due_s = max(0.0, facts.lease_s - silent_s) + facts.sweep_s
    sweeps = facts.somebody_sweeps
    return cause(
        facts,
        "LEASE_EXPIRED" if sweeps else "SWEEPER_DEAD",
        Severity.WARNING if sweeps else Severity.ERROR,
        f"Its worker is gone: {who}.",
        f"It is taken back and run again in about {span(due_s)}."
        if sweeps
        else "Nobody sweeps, so nobody takes it back.",
        Remedy("Wait.") if sweeps else Remedy("Start a server or a worker.", "safelight worker"),
        user="The machine that made it was lost; it is begun again soon."
        if sweeps
        else "The machine that made it was lost.",
        sooner="a worker ran" if not sweeps else None,
        evidence={
            "worker": facts.job.worker_id,
            "last_beat": as_rfc3339(holder.process.beat_at) if holder else None,
            "sweep_due_in_s": round(due_s, 1),
            "lost_n": facts.job.lost_n,
        },
    )


def healthy_run(facts: JobFacts) -> Cause:
    since, usual = facts.runs_since, facts.usual
    ran_s = max(0.0, facts.now - since) if since else 0.0
    known = f"; half of the last ones needed {span(usual.p50_s)}" if usual else ""
    holder = facts.holder
    return cause(
        facts,
        "HEALTHY_RUN",
        Severity.INFO,
        f"It runs since {span(ran_s)}, stage {facts.job.stage!r}{known}.",
        f"{named(holder.process) if holder else 'Its worker'} works on it.",
        NOTHING_TO_DO,
        user=f"It is being made, since {span(ran_s)}"
        + (f"; usually that takes {span(usual.p50_s)}." if usual else "."),
        evidence={
            "stage": facts.job.stage,
            "ran_s": round(ran_s, 1),
            "progress": facts.job.progress,
            "p50_s": usual.p50_s if usual else None,
            "p95_s": usual.p95_s if usual else None,
        },
    )
