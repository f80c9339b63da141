"""Numbers and times in words, the same in every finding."""

from __future__ import annotations

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
    """What is known of the end of a process that is not live any more."""
    ago = f"its last beat was {span(max(0.0, now - process.beat_at))} ago"
    if process.draining and process.lost_at is None:
        return f"it is stopping, {ago}"
    return f"it ended without a word or is frozen, {ago}" if process.lost_at is None else f"it was lost, {ago}"
