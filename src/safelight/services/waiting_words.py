"""What a job waits for, in words for its user; names of users and workers stay inside."""

from __future__ import annotations

from typing import Final

PAUSED: Final = "its queue to be resumed: an operator paused it"
NOBODY: Final = "a worker: none that is running serves its queue"
PARKED: Final = {
    "user": "one of your running jobs to end",
    "worker": "a worker that has nothing else to do",
    "gate": "its provider to take calls again",
}
"""By the kind of `waiting_for` in its row (`parking.py`)."""


def waits_for(reason: str | None) -> str | None:
    """In words what a job's row has."""
    return None if reason is None else PARKED[reason.partition(":")[0]]
