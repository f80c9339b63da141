"""Numbers and times in words, the same in every finding."""

from __future__ import annotations

from safelight.services import departures
from safelight.services.departures import Departure
from safelight.services.presence import Process

_UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def count(n: int, noun: str = "job") -> str:
    """`1 job`, `3 jobs`."""
    return f"{n} {noun}" if n == 1 else f"{n:,} {noun}s"


def span(seconds: float) -> str:
    """About how long: `12 s`, `5 min`, `3 h`, `2 d`."""
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def megabytes(size_bytes: int) -> str:
    return f"{size_bytes // 2**20:,} MB"


def named(process: Process) -> str:
    """Which process: `worker 4711 on host`."""
    return f"{process.role} {process.pid} on {process.host}"


def how_it_left(process: Process, now: float) -> str:
    """What is known of a process that takes no jobs any more: `worker 4711 on host was lost, …`."""
    beat = f"its last beat was {span(max(0.0, now - process.beat_at))} ago"
    if process.lost_at is not None:
        return f"{named(process)} was lost, {beat}"
    if process.draining:
        return f"{named(process)} is stopping: it finishes what it runs and takes nothing new"
    return f"{named(process)} ended without a word or is frozen, {beat}"


def how_it_departed(left: Departure, now: float) -> str:
    """What is known of a worker that took its row away: `worker 4711 on host was stopped 5 min ago`."""
    who = f"{left.role} {left.pid} on {left.host}"
    ago = f"{span(max(0.0, now - left.left_at))} ago"
    match left.reason:
        case departures.TOO_OLD:
            return f"{who} was turned away {ago}: its version, {left.version}, is older than the operator requires"
        case departures.FAILED:
            return f"{who} ended {ago} because a part of it died; its log says of what"
        case _:
            return f"{who} was stopped {ago}"


def why_unserved(queue: str, last: Process | None, left: Departure | None, others: int, now: float) -> str:
    """Why no worker serves a queue, as far as the rows tell; `others` serve other queues."""
    why = f"No worker has served {queue!r}, as far as is known."
    if left is not None and (last is None or left.left_at > last.beat_at):
        why = f"The last one known: {how_it_departed(left, now)}."
    elif last is not None:
        why = f"The last one known: {how_it_left(last, now)}."
    return (
        f"{why} {count(others, 'other worker')} {'runs' if others == 1 else 'run'}, for other queues."
        if others
        else why
    )
