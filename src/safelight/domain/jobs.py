"""The states of a job and the one table of moves between them.

The guarded UPDATEs in `services/` take where they start and where they end from here (`services/moves.py`);
`ALLOWED` is what `finish` and the model tests check against. Nothing leaves a terminal state.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Status(StrEnum):
    """What everyone outside sees."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    PARTIAL = "partial"


class Stage(StrEnum):
    """Where an unfinished job is on its way."""

    QUEUED = "queued"
    STARTING = "starting"
    PROVIDER_QUEUE = "provider_queue"
    RUNNING = "running"
    DOWNLOADING = "downloading"
    UPLOADING = "uploading"
    DELIVERED = "delivered"


LIVE: Final = frozenset({Status.PENDING, Status.PROCESSING})
TERMINAL: Final = frozenset(Status) - LIVE


class Move(NamedTuple):
    """One allowed change of status, and whether it takes the job away from whoever held it."""

    name: str
    source: frozenset[Status]
    target: Status
    fence_grows: bool = True


CLAIM: Final = Move("claim", frozenset({Status.PENDING}), Status.PROCESSING)
HAND_BACK: Final = Move("hand_back", frozenset({Status.PROCESSING}), Status.PENDING)
RETRY_LATER: Final = Move("retry_later", frozenset({Status.PROCESSING}), Status.PENDING)
REQUEUE: Final = Move("requeue", frozenset({Status.PROCESSING}), Status.PENDING)
COMPLETE: Final = Move("complete", frozenset({Status.PROCESSING}), Status.COMPLETED)
COMPLETE_IN_PART: Final = Move("complete_in_part", frozenset({Status.PROCESSING}), Status.PARTIAL)
"""Batches only: some of their items completed."""
FAIL: Final = Move("fail", LIVE, Status.FAILED)
CANCEL: Final = Move("cancel", LIVE, Status.CANCELED)

MOVES: Final = (CLAIM, HAND_BACK, RETRY_LATER, REQUEUE, COMPLETE, COMPLETE_IN_PART, FAIL, CANCEL)
ALLOWED: Final = frozenset((source, move.target) for move in MOVES for source in move.source)


class EventType(StrEnum):
    """Everything that can be said about a job. All but the last three are stored; those live on its row."""

    SUBMITTED = "job.submitted"
    STARTED = "job.started"
    RETRYING = "job.retrying"
    REQUEUED = "job.requeued"
    CANCEL_REQUESTED = "job.cancel_requested"
    COMPLETED = "job.completed"
    FAILED = "job.failed"
    CANCELED = "job.canceled"
    PARTIAL = "job.partial"
    ASSET_RECOVERED = "job.asset_recovered"
    PROGRESS = "job.progress"
    PREVIEW = "job.preview"
    OUTPUT = "job.output"


ENDINGS: Final = {
    Status.COMPLETED: EventType.COMPLETED,
    Status.FAILED: EventType.FAILED,
    Status.CANCELED: EventType.CANCELED,
    Status.PARTIAL: EventType.PARTIAL,
}
"""The terminal event of each terminal status; only a batch ends as `partial`."""

LAST_EVENTS: Final = frozenset(f"job.{status}" for status in TERMINAL)
"""The types after which nothing more is said of a job, with those that only newer releases send."""
