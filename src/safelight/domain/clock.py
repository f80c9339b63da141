"""Time: wall-clock seconds for people, and a local clock that also counts while the machine is suspended."""

from __future__ import annotations

import time
from datetime import UTC, datetime

_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def local_s() -> float:
    """Seconds on this machine's own clock, counting through suspend. For spans within one process only."""
    return time.clock_gettime(_BOOT_CLOCK)


def as_rfc3339(at_s: float) -> str:
    """Epoch seconds as UTC with milliseconds and `Z`, the one form in which times leave Safelight."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
