"""Who works: a live worker for every queue in which jobs wait, and processes in good health."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from safelight import __version__
from safelight.diagnosis.facts import Facts, QueueFacts, Rows
from safelight.diagnosis.finding import Affected, Finding, Remedy, Severity
from safelight.diagnosis.rules.registry import rule
from safelight.diagnosis.words import count, how_it_departed, how_it_left, megabytes, named, span, why_unserved
from safelight.domain.clock import as_rfc3339
from safelight.domain.versions import is_older
from safelight.services.departures import Departure
from safelight.services.presence import Process

RESTARTS_WITHIN_S = 600.0
LAGS_MS = 1_000.0
FRESH_S = 60.0
"""A process that started so lately may not have swept yet."""
LEAST_MEMORY_BYTES = 256 * 2**20


@rule("NO_WORKER_FOR_QUEUE")
def no_worker_for_queue(facts: Facts) -> Iterator[Finding]:
    """Jobs wait in a queue that no live worker serves."""
    rows = facts.rows
    if rows is None:
        return
    unserved = [queue for queue in rows.queues if not rows.servers_of(queue.name)]
    held_up = [queue for queue in unserved if queue.waiting and queue.paused_at is None]
    yield from (_unserved(queue, rows) for queue in held_up)
    if unserved and not held_up and not any(worker.takes_jobs for worker in rows.workers):
        yield _idle(unserved)


def _idle(queues: Sequence[QueueFacts]) -> Finding:
    return Finding(
        "NO_WORKER_FOR_QUEUE",
        Severity.INFO,
        "workers",
        "No worker runs.",
        "Nothing that may run waits, so nothing is held up: jobs submitted now would wait.",
        Remedy("Start a worker when there is work.", "safelight worker"),
        evidence={"queues": [queue.name for queue in queues], "live_workers": 0},
    )


def _unserved(queue: QueueFacts, rows: Rows) -> Finding:
    last = rows.last_seen(queue.name)
    oldest_s = max(0.0, rows.now - (queue.waiting_since or rows.now))
    others = sum(worker.takes_jobs for worker in rows.workers)
    return Finding(
        "NO_WORKER_FOR_QUEUE",
        Severity.INFO if rows.is_stopping(queue.name) else Severity.ERROR,
        queue.name,
        f"{count(queue.waiting)} {'waits' if queue.waiting == 1 else 'wait'} in queue {queue.name!r},"
        f" the oldest for {span(oldest_s)}, and no worker serves it.",
        why_unserved(queue.name, last, rows.left_last(queue.name), others, rows.now),
        Remedy("Start a worker for it.", f"safelight worker --queue {queue.name}"),
        evidence={
            "waiting": queue.waiting,
            "oldest_s": round(oldest_s, 1),
            "live_workers": 0,
            "other_workers": others,
            "last_seen": _last_seen(rows, queue.name),
        },
        affects=Affected(queue.waiting, queue.credits_held),
    )


def _last_seen(rows: Rows, queue: str) -> str | None:
    last, left = rows.last_seen(queue), rows.departed.get(queue)
    seen = [*([last.beat_at] if last else []), *([left.left_at] if left else [])]
    return as_rfc3339(max(seen)) if seen else None


@rule("WORKER_MISSING")
def worker_missing(facts: Facts) -> Iterator[Finding]:
    """Fewer workers serve a queue than SAFELIGHT_EXPECTED_WORKERS says."""
    rows = facts.rows
    if rows is None:
        return
    for name, expected in facts.configuration.expected_workers.items():
        there = len(rows.servers_of(name))
        queue = next((q for q in rows.queues if q.name == name), None)
        if there >= expected:
            continue
        last, left = rows.last_seen(name), rows.left_last(name)
        yield Finding(
            "WORKER_MISSING",
            Severity.ERROR if there == 0 else Severity.WARNING,
            name,
            f"Queue {name!r} has {there} of the {count(expected, 'worker')} it should have.",
            _how_they_went(last, left, there, rows.now),
            Remedy("Start what is missing.", f"safelight worker --queue {name}"),
            evidence={"expected": expected, "live": there},
            affects=Affected(queue.waiting, queue.credits_held) if queue else Affected(),
            because_of="NO_WORKER_FOR_QUEUE" if queue and queue.waiting and there == 0 else None,
        )


def _how_they_went(last: Process | None, left: Departure | None, there: int, now: float) -> str:
    if there or (last is None and left is None):
        return "The others were not started, or ended."
    how = how_it_departed(left, now) if left else how_it_left(last, now) if last else ""
    return f"The last one known: {how}."


@rule("WORKER_TOO_OLD")
def worker_too_old(facts: Facts) -> Iterator[Finding]:
    """A worker is of an earlier release than the operator allows."""
    rows = facts.rows
    if rows is None:
        return
    yield from _turned_away(rows)
    least = rows.required_version
    for worker in rows.live:
        process = worker.process
        if not process.slots or not (least and is_older(process.version, least)):
            continue
        yield Finding(
            "WORKER_TOO_OLD",
            Severity.WARNING,
            named(process),
            f"{named(process)} is of version {process.version}; the oldest allowed is {least}.",
            "It finishes what it runs and takes nothing new.",
            Remedy("Upgrade it and start it again.", "safelight workers list"),
            evidence={"version": process.version, "required": least, "here": __version__},
        )


def _turned_away(rows: Rows) -> Iterator[Finding]:
    """Queues in which jobs wait, and whose last worker was too old to go on."""
    least = rows.required_version
    for queue in rows.queues:
        left = rows.left_last(queue.name)
        if left is None or rows.servers_of(queue.name) or not queue.waiting:
            continue
        if least and is_older(left.version, least):
            yield Finding(
                "WORKER_TOO_OLD",
                Severity.ERROR,
                queue.name,
                f"{count(queue.waiting)} {'waits' if queue.waiting == 1 else 'wait'} in queue {queue.name!r}, and its"
                f" worker may not run: it is of version {left.version}, and {least} is required.",
                f"The last one known: {how_it_departed(left, rows.now)}.",
                Remedy("Upgrade what is installed there, then start it.", f"safelight worker --queue {queue.name}"),
                evidence={"version": left.version, "required": least, "here": __version__, "waiting": queue.waiting},
                affects=Affected(queue.waiting, queue.credits_held),
            )


@rule("SWEEPER_DEAD")
def sweeper_dead(facts: Facts) -> Iterator[Finding]:
    """No live process sweeps: deadlines, lost workers and due jobs are seen to by nobody."""
    rows = facts.rows
    if rows is None or not rows.live_jobs.jobs:
        return
    patience_s = max(FRESH_S, 6 * facts.configuration.sweep_s)
    if not rows.live:
        yield _nobody_sweeps(rows, "No process of Safelight runs.", rows.live_jobs.jobs, "NO_WORKER_FOR_QUEUE")
        return
    if all(
        rows.now - max(worker.process.swept_at or 0.0, worker.process.started_at) > patience_s for worker in rows.live
    ):
        names = ", ".join(named(worker.process) for worker in rows.live[:3])
        yield _nobody_sweeps(rows, f"{names} beats, but its sweep stands still.", rows.live_jobs.jobs, None)


def _nobody_sweeps(rows: Rows, cause: str, jobs: int, because_of: str | None) -> Finding:
    swept = max((worker.process.swept_at or 0.0 for worker in rows.workers), default=0.0)
    return Finding(
        "SWEEPER_DEAD",
        Severity.ERROR,
        "sweeper",
        "Nobody sweeps: jobs past their deadline do not end, jobs of lost workers are not taken up again.",
        cause,
        Remedy("Start a server or a worker; restart one that is stuck.", "safelight worker"),
        evidence={"live_processes": len(rows.live), "last_sweep": as_rfc3339(swept) if swept else None},
        affects=Affected(jobs),
        because_of=because_of,
    )


@rule("WORKER_RESTARTS")
def worker_restarts(facts: Facts) -> Iterator[Finding]:
    """Processes of one machine were lost again and again within ten minutes."""
    rows = facts.rows
    if rows is None:
        return
    lost = [w.process for w in rows.workers if w.process.lost_at and rows.now - w.process.lost_at <= RESTARTS_WITHIN_S]
    for host, n in Counter(process.host for process in lost).items():
        if n >= facts.configuration.thresholds.restarts:
            lived = sorted(p.beat_at - p.started_at for p in lost if p.host == host)
            memory = max(p.rss_bytes for p in lost if p.host == host)
            yield Finding(
                "WORKER_RESTARTS",
                Severity.WARNING,
                host,
                f"{n} processes on {host} were lost within {span(RESTARTS_WITHIN_S)}.",
                f"They die while they work: they lived for {span(lived[0])} to {span(lived[-1])} and held up to"
                f" {megabytes(memory)}. Most often the system ends what takes too much memory, or a job kills them.",
                Remedy("Look at how the last one ended.", "journalctl -k --grep 'Out of memory' --since -1h"),
                evidence={"lost": n, "within_s": RESTARTS_WITHIN_S, "most_rss_bytes": memory},
            )


@rule("MEMORY_HIGH")
def memory_high(facts: Facts) -> Iterator[Finding]:
    """A process of this machine holds most of the memory there is."""
    total, share = facts.machine.memory_bytes, facts.configuration.thresholds.memory_share
    if facts.rows is None or not total:
        return
    for worker in facts.rows.live:
        process = worker.process
        if process.host != facts.machine.host or process.rss_bytes < max(share * total, LEAST_MEMORY_BYTES):
            continue
        yield Finding(
            "MEMORY_HIGH",
            Severity.WARNING,
            named(process),
            f"{named(process)} holds {megabytes(process.rss_bytes)} of {megabytes(total)}.",
            "It runs more or larger jobs at once than the machine has memory for.",
            Remedy(
                "Let it run fewer jobs at a time, or give the machine more memory.", "safelight worker --concurrency 1"
            ),
            evidence={"rss_bytes": process.rss_bytes, "memory_bytes": total},
        )


@rule("LOOP_LAG")
def loop_lag(facts: Facts) -> Iterator[Finding]:
    """A process's event loop is late: everything in it is slow, and at half a lease it loses its jobs."""
    for worker in facts.rows.live if facts.rows else ():
        process = worker.process
        if process.loop_lag_ms < LAGS_MS:
            continue
        yield Finding(
            "LOOP_LAG",
            Severity.WARNING,
            named(process),
            f"The event loop of {named(process)} is {process.loop_lag_ms / 1000:.1f} s late.",
            "Something blocks it, or the machine has too little processor time.",
            Remedy("Look at the load of that machine; let it run fewer jobs at a time.", "top"),
            evidence={"loop_lag_ms": round(process.loop_lag_ms), "busy": process.busy, "slots": process.slots},
        )
