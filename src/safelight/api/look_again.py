"""When to look at an unfinished job again: `Retry-After`, for those who can have neither a stream nor a socket."""

from __future__ import annotations

import math
from typing import Final

from safelight.domain.jobs import Status
from safelight.services.read_jobs import JobDetails

SOONEST_S: Final = 1
UNKNOWN_S: Final = 5
LATEST_S: Final = 30


def look_again_s(details: JobDetails) -> int:
    """Soon where something moves, later where it will take its time."""
    if details.job.status == Status.PROCESSING:
        return SOONEST_S
    due_s = details.job.due_at and details.job.due_at - details.read_at
    wait_s = due_s or details.eta_s
    return UNKNOWN_S if wait_s is None else min(LATEST_S, max(SOONEST_S, math.ceil(wait_s)))
