"""Queues and the jobs in them: paused, backed up, late, slow, failing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from safelight.diagnosis.facts import ErrorCount, Facts, ModelWait, QueueFacts, Rows
from safelight.diagnosis.finding import Affected, Finding, Remedy, Severity
from safelight.diagnosis.rules.registry import rule
from safelight.diagnosis.words import count, span
from safelight.domain.clock import as_rfc3339

SOON_DONE_S = 600.0
"""What is worked off within this at the pace of the last minutes is a burst, and no backlog."""
ERRORS_OF = 20
CALLERS_OWN = frozenset({"content_rejected", "invalid_request", "invalid_params", "canceled"})
"""Codes of errors that nobody but the caller can do something about."""


@rule("QUEUE_PAUSED")
def queue_paused(facts: Facts) -> Iterator[Finding]:
    """An operator has paused a queue: its jobs wait, on purpose."""
    for queue in facts.rows.queues if facts.rows else ():
        if queue.paused_at is None or facts.rows is None:
            continue
        reason = f": {queue.pause_reason}" if queue.pause_reason else ""
        yield Finding(
            "QUEUE_PAUSED",
            Severity.INFO,
            queue.name,
            f"Queue {queue.name!r} is paused, and {count(queue.waiting)} {'waits' if queue.waiting == 1 else 'wait'}.",
            f"An operator paused it {span(max(0.0, facts.rows.now - queue.paused_at))} ago{reason}.",
            Remedy("Let it go on when the reason is gone.", f"safelight queue resume {queue.name}"),
            evidence={"waiting": queue.waiting, "paused_at": as_rfc3339(queue.paused_at)},
            affects=Affected(queue.waiting, queue.credits_held),
        )


@rule("PROVIDER_NOT_CONFIGURED")
def provider_not_configured(facts: Facts) -> Iterator[Finding]:
    """Jobs wait for a model that no worker of their queue has a provider for."""
    rows = facts.rows
    if rows is None:
        return
    for queue in rows.queues:
        servers = rows.servers_of(queue.name)
        there = {name for worker in servers for name in worker.process.provider_names}
        for wait in rows.waits if servers else ():
            wanted = set(facts.providers_of(wait))
            if wait.queue == queue.name and wanted and not wanted & there:
                yield _without_provider(facts, wait, sorted(wanted), sorted(there))


def _without_provider(facts: Facts, wait: ModelWait, wanted: list[str], there: list[str]) -> Finding:
    missing = {provider.name: provider.missing for provider in facts.providers if provider.missing}
    lacks = "; ".join(f"{name}: {missing[name]}" for name in wanted if name in missing)
    return Finding(
        "PROVIDER_NOT_CONFIGURED",
        Severity.ERROR,
        wait.model,
        f"{count(wait.jobs)} for model {wait.model!r} {'waits' if wait.jobs == 1 else 'wait'} in queue {wait.queue!r}.",
        f"It is made by {' or '.join(wanted)}, which no worker of that queue has set up"
        + (f" ({lacks})." if lacks else "."),
        Remedy("Give its key to the workers and start them again, or cancel these jobs.", "safelight providers list"),
        evidence={"jobs": wait.jobs, "wanted": list(wanted), "workers_have": list(there)},
        affects=Affected(wait.jobs, wait.credits),
    )


@rule("JOBS_PAST_DEADLINE")
def jobs_past_deadline(facts: Facts) -> Iterator[Finding]:
    """Jobs live on although their deadline is over: nobody ends them."""
    late = facts.rows.past_deadline if facts.rows else None
    if not late or not late.jobs:
        return
    yield Finding(
        "JOBS_PAST_DEADLINE",
        Severity.ERROR,
        "jobs",
        f"{count(late.jobs)} should have ended, the first {span(late.oldest_s)} ago.",
        "A sweep ends such jobs within seconds; none has.",
        Remedy("Start a server or a worker: every one sweeps.", "safelight worker"),
        evidence={"jobs": late.jobs, "oldest_s": round(late.oldest_s, 1)},
        affects=Affected(late.jobs, late.credits),
        because_of="SWEEPER_DEAD",
    )


@rule("BACKLOG")
def backlog(facts: Facts) -> Iterator[Finding]:
    """Many jobs wait, for long, and at the present pace will for longer."""
    rows, limits = facts.rows, facts.configuration.thresholds
    for queue in rows.queues if rows else ():
        if rows is None or queue.paused_at is not None or queue.ready < limits.backlog / 2:
            continue
        oldest_s = max(0.0, rows.now - (queue.waiting_since or rows.now))
        if oldest_s > limits.backlog_s:
            yield _backlog(queue, rows, oldest_s, limits.backlog)


def _backlog(queue: QueueFacts, rows: Rows, oldest_s: float, too_many: int) -> Finding:
    slots = sum(worker.process.slots for worker in rows.servers_of(queue.name))
    left_s = _left_s(queue, slots)
    severity = Severity.WARNING
    if left_s is not None and left_s <= SOON_DONE_S:
        severity = Severity.INFO
    elif queue.ready >= too_many:
        severity = Severity.ERROR
    pace = "nobody can tell for how long" if left_s is None else f"they are done in about {span(left_s)}"
    return Finding(
        "BACKLOG",
        severity,
        queue.name,
        f"{count(queue.ready)} wait in queue {queue.name!r}, the oldest for {span(oldest_s)}; {pace}.",
        f"More came in than its {count(slots, 'slot')} can do at once.",
        Remedy("Start more workers for it, or let them run more at a time.", f"safelight worker --queue {queue.name}"),
        evidence={
            "waiting": queue.ready,
            "oldest_s": round(oldest_s, 1),
            "per_minute": round(queue.per_minute, 2),
            "left_s": None if left_s is None else round(left_s, 1),
            "slots": slots,
            "running": queue.running,
        },
        affects=Affected(queue.waiting, queue.credits_held),
    )


def _left_s(queue: QueueFacts, slots: int) -> float | None:
    """By the pace of the last minutes, or by what such jobs usually need: whichever is sooner, for the pace counts
    minutes in which nobody worked."""
    by_pace = queue.ready / queue.per_minute * 60 if queue.per_minute else None
    by_need = queue.ready * queue.usual_s / slots if queue.usual_s is not None and slots else None
    return min((each for each in (by_pace, by_need) if each is not None), default=None) if slots else None


@rule("ERROR_RATE")
def error_rate(facts: Facts) -> Iterator[Finding]:
    """Of the jobs of this hour too many failed for reasons that are not their caller's own."""
    ended = facts.rows.ended if facts.rows else ()
    failed = [each for each in ended if each.status == "failed" and each.code not in CALLERS_OWN]
    bad = sum(each.jobs for each in failed)
    total = bad + sum(each.jobs for each in ended if each.status == "completed")
    limits = facts.configuration.thresholds
    if not (bad > limits.errors or (total >= ERRORS_OF and bad > limits.error_share * total)):
        return
    worst = max(failed, key=lambda each: each.jobs)
    yield Finding(
        "ERROR_RATE",
        Severity.ERROR if bad * 2 > total else Severity.WARNING,
        "storage" if worst.code == "storage_failed" else worst.provider or "jobs",
        f"{count(bad)} of {total} failed within the hour.",
        f"Most often: {_in_words(worst)}.",
        Remedy("Look at one of them.", "safelight jobs list --status failed"),
        evidence={"failed": bad, "ended": total, "by_code": _by_code(failed)},
        affects=Affected(bad, sum(each.credits for each in failed)),
    )


def _in_words(worst: ErrorCount) -> str:
    at = f" at {worst.provider}" if worst.provider else ""
    return f"{worst.code or 'no reason given'}{at}, {worst.jobs} times"


def _by_code(failed: list[ErrorCount]) -> dict[str, str | int | float | bool | None]:
    counts = Counter[str]()
    for each in failed:
        counts[each.code or "unknown"] += each.jobs
    return dict(counts.most_common())


@rule("SLOW")
def slow(facts: Facts) -> Iterator[Finding]:
    """Jobs run for more than twice the time that all but one in twenty of their model needed."""
    for model in facts.rows.slow if facts.rows else ():
        yield Finding(
            "SLOW",
            Severity.WARNING,
            model.model,
            f"{count(model.jobs)} of {model.model!r} {'runs' if model.jobs == 1 else 'run'} for up to"
            f" {span(model.longest_s)}; 95 % of the last ones needed {span(model.p95_s)} at most.",
            "Its provider is slow or silent, or the machine is overloaded.",
            Remedy("Look at the provider; the job fails by itself at its deadline.", "safelight providers check"),
            evidence={"jobs": model.jobs, "longest_s": round(model.longest_s, 1), "p95_s": model.p95_s},
            affects=Affected(model.jobs),
        )
