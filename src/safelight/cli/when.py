"""Times as people read them: local, and relative to now. Takes the wire's form (UTC, `Z`)."""

from __future__ import annotations

from datetime import UTC, datetime


def read(at: str) -> datetime:
    return datetime.fromisoformat(at)


def now() -> datetime:
    return datetime.now(UTC)


def local(at: str) -> str:
    """`2026-10-02 14:03:11`, in this machine's time zone."""
    return read(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def clock(at: str) -> str:
    """`14:03:11.482`, in this machine's time zone."""
    return read(at).astimezone().strftime("%H:%M:%S.%f")[:-3]


def between_s(start: str, end: str) -> float:
    return (read(end) - read(start)).total_seconds()


def since_s(at: str, now: datetime) -> float:
    return (now - read(at)).total_seconds()


def ago(at: str, now: datetime) -> str:
    """`3 min ago`; a time ahead of us (clocks differ) is called just now, a later start `in 3 min`."""
    seconds = since_s(at, now)
    if seconds < -5:
        return f"in {_rough(-seconds)}"
    return "just now" if seconds < 5 else f"{_rough(seconds)} ago"


def span(seconds: float) -> str:
    """`0.42 s`, `12.3 s`, `2 min 5 s`, `1 h 4 min`."""
    if seconds < 10:
        return f"{max(0.0, seconds):.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest_s} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _rough(seconds: float) -> str:
    for unit_s, one, many in ((86400, "day", "days"), (3600, "h", "h"), (60, "min", "min")):
        if seconds >= unit_s:
            n = int(seconds // unit_s)
            return f"{n} {one if n == 1 else many}"
    return f"{int(seconds)} s"
