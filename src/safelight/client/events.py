"""One piece of news about a job: the envelope that every stream, socket and webhook carries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from safelight.domain.jobs import LAST_EVENTS, TERMINAL

SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Event:
    """`payload` of a snapshot, and of an event that ends the job, is the job's body."""

    type: str
    job_id: str
    sequence: int
    at: str
    payload: dict[str, Any]

    @property
    def is_last(self) -> bool:
        """Whether the job ended with this event, or had ended before it."""
        return self.type in LAST_EVENTS or (self.type == SNAPSHOT and self.payload.get("status") in TERMINAL)


def read_envelope(text: str) -> Event | None:
    """`None` if it is not an envelope: newer servers may say things that we do not know."""
    try:
        envelope = json.loads(text)
        return Event(
            type=str(envelope["type"]),
            job_id=str(envelope["job_id"]),
            sequence=int(envelope["sequence"]),
            at=str(envelope["at"]),
            payload=dict(envelope["payload"]),
        )
    except (ValueError, TypeError, KeyError):
        return None


def snapshot_of(job: dict[str, Any]) -> Event:
    """The event that a stream would begin with, made from the job's body."""
    at = job.get("finished_at") or job.get("started_at") or job["created_at"]
    return Event(type=SNAPSHOT, job_id=job["id"], sequence=job["sequence"], at=at, payload=job)
