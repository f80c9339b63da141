"""Why a job waits: each function is one reason, and the list is their order: the first that holds is the cause."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import Final

from safelight.diagnosis.explain.cause import NOTHING_TO_DO, Cause, cause
from safelight.diagnosis.explain.job_facts import JobFacts
from safelight.diagnosis.finding import Remedy, Severity
from safelight.diagnosis.words import count, megabytes, named, span, why_unserved
from safelight.domain.clock import as_rfc3339
from safelight.domain.jobs import EventType
from safelight.domain.versions import is_older
from safelight.services import read_jobs
from safelight.services.disk import LEAST_FREE_BYTES

SOON_S: Final = 600.0
"""A wait that ends within this is nothing to worry about."""
CLAIMED_WITHIN_S: Final = 15.0
"""A job that may run, beside a worker with a free slot, is claimed in far less."""
TOLD_BY_GATES: Final = frozenset({"rate_limited", "cold_start", "spend_ceiling", "provider_unknown"})
"""Reasons of a return for which there is a verdict of its own."""

LATER_S: Final = 60.0
"""A start time further away than this is why a job waits, whatever else there is."""

Reason = Callable[[JobFacts], Cause | None]


def queue_paused(facts: JobFacts) -> Cause | None:
    queue = facts.queue
    if queue is None or queue.paused_at is None or facts.job.resumes:
        return None
    reason = f": {queue.pause_reason}" if queue.pause_reason else ""
    return cause(
        facts,
        "QUEUE_PAUSED",
        Severity.WARNING,
        f"It waits in queue {queue.name!r}, which is paused.",
        f"An operator paused it {span(max(0.0, facts.now - queue.paused_at))} ago{reason}.",
        Remedy("Let the queue go on.", f"safelight queue resume {queue.name}"),
        user="It waits because its queue is paused. Its place is kept, and the time of the pause does not count.",
        sooner=f"queue {queue.name!r} were resumed",
        evidence={"queue": queue.name, "paused_at": as_rfc3339(queue.paused_at)},
        subject=queue.name,
    )


def no_worker_for_queue(facts: JobFacts) -> Cause | None:
    queue = facts.job.queue
    if facts.servers or _too_old_versions(facts):
        return None
    last = facts.last_seen
    others = sum(worker.takes_jobs for worker in facts.processes)
    why = why_unserved(queue, last.process if last else None, facts.left, others, facts.now)
    return cause(
        facts,
        "NO_WORKER_FOR_QUEUE",
        Severity.ERROR,
        f"It has waited for {_waited(facts)} in queue {queue!r}, and no worker serves it.",
        why,
        Remedy("Start a worker for it.", f"safelight worker --queue {queue}"),
        user="It waits for a machine that makes such jobs; at the moment none is running.",
        sooner=f"a worker served {queue!r}",
        evidence={
            "queue": queue,
            "live_workers": 0,
            "other_workers": others,
            "last_seen": _last_seen(facts),
        },
        subject=queue,
    )


def _last_seen(facts: JobFacts) -> str | None:
    seen = [
        *([facts.last_seen.process.beat_at] if facts.last_seen else []),
        *([facts.left.left_at] if facts.left else []),
    ]
    return as_rfc3339(max(seen)) if seen else None


def worker_too_old(facts: JobFacts) -> Cause | None:
    least, kind = facts.required_version, facts.job.kind
    versions = _too_old_versions(facts)
    if versions:
        why = f"Workers must be of version {least} at least, and none of its queue is."
    elif facts.servers and not any(
        kind in worker.process.kind_names or not worker.process.kind_names for worker in facts.servers
    ):
        versions = sorted({worker.process.version for worker in facts.servers})
        why = f"No worker of its queue can make kind {kind!r}: it is of an earlier release, or lacks every provider."
    else:
        return None
    return cause(
        facts,
        "WORKER_TOO_OLD",
        Severity.ERROR,
        f"Workers serve queue {facts.job.queue!r}, but none takes this job.",
        why,
        Remedy("Upgrade the workers and start them again.", f"safelight worker --queue {facts.job.queue}"),
        user="It waits for a machine that is being brought up to date.",
        sooner="a worker of this release served its queue",
        evidence={"versions": list(versions), "required": least, "kind": kind},
    )


def _too_old_versions(facts: JobFacts) -> list[str]:
    """Of the workers of its queue, where all that are there, or the last that was, are older than is required."""
    least = facts.required_version
    mine = [w.process for w in facts.processes if w.live and facts.job.queue in w.process.queue_names]
    versions = {process.version for process in mine if process.slots}
    if not versions and facts.left is not None:
        versions = {facts.left.version}
    return sorted(versions) if least and all(is_older(version, least) for version in versions) else []


def scheduled(facts: JobFacts) -> Cause | None:
    job, back = facts.job, facts.last_return
    if job.due_at is None or job.due_at <= facts.now or back.get("code") in TOLD_BY_GATES:
        return None
    due, in_s = as_rfc3339(job.due_at), span(job.due_at - facts.now)
    if job.started_at is None:
        return cause(
            facts,
            "SCHEDULED",
            Severity.INFO,
            f"It is to start at {due}, in {in_s}.",
            "Whoever submitted it asked for that time.",
            NOTHING_TO_DO,
            user=f"It starts in {in_s}, as was asked for.",
            sooner="its start time had come",
            evidence={"due_at": due},
        )
    tries = f"{job.attempt} of {job.max_attempts} tries are used"
    return cause(
        facts,
        "SCHEDULED",
        Severity.WARNING,
        f"It failed and is tried again at {due}, in {in_s}; {tries}.",
        str(back.get("reason") or "The last try failed."),
        Remedy("Wait, or let it try now.", f"safelight jobs retry {job.id}"),
        user=f"A try failed; the next one is in {in_s}.",
        sooner="it were retried now",
        evidence={"due_at": due, "attempt": job.attempt, "code": back.get("code")},
    )


def starts_later(facts: JobFacts) -> Cause | None:
    """Its user asked for a later time: until then nothing else holds it up."""
    job = facts.job
    if job.started_at is not None or job.due_at is None or job.due_at - facts.now < LATER_S:
        return None
    return scheduled(facts)


def model_retired(facts: JobFacts) -> Cause | None:
    routes = facts.routes
    if not routes.is_known or routes.providers or not routes.over:
        return None
    successor = f"Cancel it and use {routes.successor!r}." if routes.successor else "Cancel it and use another model."
    return cause(
        facts,
        "MODEL_RETIRED",
        Severity.ERROR,
        f"Model {facts.job.model!r} was shut down by its provider.",
        f"{' and '.join(routes.over)} no longer {'serves' if len(routes.over) == 1 else 'serve'} it.",
        Remedy(successor, f"safelight jobs cancel {facts.job.id}"),
        user=f"Its model is no longer offered. {successor}",
        evidence={"model": facts.job.model, "successor": routes.successor},
        subject=facts.job.model,
    )


def provider_not_configured(facts: JobFacts) -> Cause | None:
    wanted = set(facts.routes.providers)
    there = {name for worker in facts.servers for name in worker.process.provider_names}
    if not facts.servers or not wanted or wanted & there:
        return None
    lacks = "; ".join(f"{name}: {facts.missing[name]}" for name in sorted(wanted) if name in facts.missing)
    return cause(
        facts,
        "PROVIDER_NOT_CONFIGURED",
        Severity.ERROR,
        f"No worker of queue {facts.job.queue!r} can make model {facts.job.model!r}.",
        f"It is made by {' or '.join(sorted(wanted))}, which none of them has set up"
        + (f" ({lacks})." if lacks else "."),
        Remedy("Give its key to the workers and start them again.", "safelight providers list"),
        user="It waits for the operator to set up its provider.",
        sooner=f"a worker had {' or '.join(sorted(wanted))} set up",
        evidence={"wanted": sorted(wanted), "workers_have": sorted(there)},
        subject=facts.job.model,
    )


def user_limit(facts: JobFacts) -> Cause | None:
    if not (facts.job.waiting_for or "").startswith("user:"):
        return None
    n = facts.running_of_user
    return cause(
        facts,
        "USER_LIMIT",
        Severity.INFO,
        f"Its user has {count(n)} running in queue {facts.job.queue!r}, as many as allowed.",
        "The operator limits how many jobs of one user may run at a time.",
        Remedy(
            "Wait for one of them to end, or raise the user's limit.",
            f"safelight users set {shlex.quote(facts.job.user_id)} --running-cap {n + 1}",
        ),
        user="It waits for one of your running jobs to end.",
        sooner="one of its user's running jobs ended",
        evidence={"running": n},
    )


def sweeper_dead(facts: JobFacts) -> Cause | None:
    """Its time has come, or is over, and nobody sees to that."""
    job = facts.job
    late_s = 2 * facts.sweep_s + CLAIMED_WITHIN_S
    paused = facts.queue is not None and facts.queue.paused_at is not None and job.started_at is None
    overdue = facts.now - job.deadline_at > late_s and not paused
    unwoken = job.due_at is not None and facts.now - job.due_at > late_s
    if not (overdue or unwoken) or (facts.somebody_sweeps and not overdue):
        return None
    what = f"Its deadline was {span(facts.now - job.deadline_at)} ago" if overdue else "It has been due"
    return cause(
        facts,
        "SWEEPER_DEAD",
        Severity.ERROR,
        f"{what}, and nobody has seen to that.",
        "Every server and worker sweeps; none that lives does.",
        Remedy("Start a server or a worker; restart one that is stuck.", "safelight worker"),
        user="It should have gone on by now; the operator has to look at it.",
        sooner="a process swept",
        evidence={"deadline_at": as_rfc3339(job.deadline_at)},
    )


def cancel_pending(facts: JobFacts) -> Cause | None:
    asked, call = facts.job.cancel_requested_at, facts.open_call
    if asked is None:
        return None
    at = call.provider if call else "its worker"
    ends_in_s = max(0.0, asked + facts.lease_s - facts.now)
    return cause(
        facts,
        "CANCEL_PENDING",
        Severity.INFO,
        f"It is to be canceled: that was asked {span(max(0.0, facts.now - asked))} ago, and {at} is being told.",
        "A call may be running at the provider; it is stopped there first.",
        Remedy("Wait; it ends within a lease, whoever answers."),
        user="It is being canceled.",
        evidence={"cancel_requested_at": as_rfc3339(asked), "ends_in_s": round(ends_in_s, 1)},
    )


def workers_saturated(facts: JobFacts) -> Cause | None:
    place = facts.place
    if place is None or not place.slots or not facts.job.ready or place.running < place.slots:
        return None
    eta_s = read_jobs.wait_s(place)
    about = f"about {span(eta_s)}" if eta_s is not None else "a time nobody can tell"
    return cause(
        facts,
        "WORKERS_SATURATED",
        Severity.INFO if eta_s is not None and eta_s <= SOON_S else Severity.WARNING,
        f"All {count(place.slots, 'slot')} of queue {facts.job.queue!r} are busy; {count(place.ahead)}"
        f" {'is' if place.ahead == 1 else 'are'} before it.",
        f"It starts in {about}.",
        Remedy("Wait, or start another worker for it.", f"safelight worker --queue {facts.job.queue}"),
        user=f"{count(place.ahead)} {'is' if place.ahead == 1 else 'are'} before it; it starts in {about}.",
        sooner=f"another worker served {facts.job.queue!r}",
        evidence={"position": place.ahead + 1, "eta_s": eta_s, "running": place.running, "slots": place.slots},
        subject=facts.job.queue,
    )


def disk_low(facts: JobFacts) -> Cause | None:
    if facts.free_bytes is None or facts.free_bytes >= LEAST_FREE_BYTES or not facts.job.ready:
        return None
    return cause(
        facts,
        "DISK_LOW",
        Severity.ERROR,
        f"Only {megabytes(facts.free_bytes)} of disk are free; below {megabytes(LEAST_FREE_BYTES)} nothing is begun.",
        "The disk is full.",
        Remedy(
            "Make room: remove old jobs, or give the disk more space.", "safelight prune --older-than 30d --dry-run"
        ),
        user="It waits for the operator to make room for its files.",
        sooner="there were more room on the disk",
        evidence={"free_bytes": facts.free_bytes},
    )


def worker_stalled(facts: JobFacts) -> Cause | None:
    """It may run, a slot is free, and for long nobody takes it."""
    place = facts.place
    since_s = facts.now - _ready_since(facts)
    if place is None or not facts.job.ready or place.ahead or since_s < CLAIMED_WITHIN_S:
        return None
    names = ", ".join(named(worker.process) for worker in facts.servers[:3])
    return cause(
        facts,
        "WORKER_STALLED",
        Severity.ERROR,
        f"It is first in queue {facts.job.queue!r}, and for {span(since_s)} nobody has taken it though a slot is free.",
        f"{names} beats but does not claim: it hangs, cannot write, or knows neither the model nor its provider.",
        Remedy("Look into its log, then restart it.", "safelight workers list"),
        user="It should have started by now; the operator has to look at it.",
        sooner="its worker were restarted",
        evidence={"waited_s": round(since_s, 1), "running": place.running, "slots": place.slots},
        subject=facts.job.queue,
    )


def healthy_wait(facts: JobFacts) -> Cause:
    place = facts.place
    ahead = place.ahead if place else 0
    eta_s = read_jobs.wait_s(place) if place else None
    when = f"in about {span(eta_s)}" if eta_s else "at any moment"
    return cause(
        facts,
        "HEALTHY_WAIT",
        Severity.INFO,
        f"It has waited for {_waited(facts)}; {count(ahead)} {'is' if ahead == 1 else 'are'} before it.",
        f"It starts {when}.",
        NOTHING_TO_DO,
        user=f"It starts {when}.",
        evidence={"ahead": ahead, "eta_s": eta_s},
    )


def _waited(facts: JobFacts) -> str:
    return span(max(0.0, facts.now - facts.job.start_at))


def _ready_since(facts: JobFacts) -> float:
    """When it could be claimed at last: its start time, or its last return to the queue."""
    back = (EventType.RETRYING, EventType.REQUEUED)
    returns = [event.at for event in facts.events if event.type in back]
    return max([facts.job.start_at, *returns, *(worker.process.started_at for worker in facts.servers)])


def first(facts: JobFacts, reasons: Sequence[Reason]) -> list[Cause]:
    """Those that hold, in order."""
    return [found for reason in reasons if (found := reason(facts)) is not None]
