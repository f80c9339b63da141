"""What may be done with a stuck job, and why not: pure, so that a plan and its effect judge alike."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from safelight.domain.jobs import LIVE, Status
from safelight.services.job_filter import Found


class Action(StrEnum):
    """What is done with each job."""

    REQUEUE = "requeue"
    """It waits in its queue again, due now, with the time back that it has waited."""
    FAIL = "fail"
    """It fails, and its credits are free again."""
    CANCEL = "cancel"
    """As its user could: one that runs is stopped at its provider."""
    RETRY = "retry"
    """One that ended is made again as a new job of its user, one that waits for its next try is due now."""


MAY_HAVE: Final = {
    Action.REQUEUE: ("pending", "processing"),
    Action.FAIL: ("pending", "processing"),
    Action.CANCEL: ("pending", "processing"),
    Action.RETRY: ("failed", "canceled", "partial", "pending"),
}
"""The statuses that a plan of each action may ask for."""
MEANS: Final = {
    Action.REQUEUE: ("pending",),
    Action.FAIL: ("pending",),
    Action.CANCEL: ("pending", "processing"),
    Action.RETRY: ("failed",),
}
"""What is meant where no status is given."""
WHY: Final = {
    "held": "a worker runs it",
    "called": "a call of it is open at a provider, which may have been paid: it goes on by that call",
    "scheduled": "it waits for the start time that its user gave it",
    "ended": "it has ended",
    "completed": "it completed",
    "waiting": "it has not been tried yet",
    "stopping": "it is being canceled already",
    "again": "it was made again already",
    "planned": "another recovery is planned for it",
    "batch": "it is a batch: its items are dealt with, each for itself",
    "changed": "it was no longer as it was when this was planned",
    "gone": "it was removed",
    "refused": "it cannot be made again as it is",
}
"""Why a job is left alone, by reason."""


def hindrance(action: Action, job: Found) -> str | None:
    """Why an action cannot be done to a job as it is; a key of `WHY`. Money and calls that may be paid are safe."""
    status = Status(job.status)
    match action:
        case Action.REQUEUE:
            return _from_requeue(status, job)
        case Action.FAIL:
            if status not in LIVE:
                return "ended"
            return "batch" if job.kind == "batch" else None
        case Action.CANCEL:
            if status not in LIVE:
                return "ended"
            return "stopping" if job.stopping else None
        case Action.RETRY:
            return _from_retry(status, job)


def _from_requeue(status: Status, job: Found) -> str | None:
    if status not in LIVE:
        return "ended"
    if job.kind == "batch":
        return "batch"
    if status is Status.PROCESSING:
        return "held"
    if job.called:
        return "called"
    return "scheduled" if job.later and not job.tried else None


def _from_retry(status: Status, job: Found) -> str | None:
    match status:
        case Status.COMPLETED:
            return "completed"
        case Status.PROCESSING:
            return "held"
        case Status.PENDING:
            return None if job.later and job.tried else "waiting"
        case _:
            return "again" if job.again else None
