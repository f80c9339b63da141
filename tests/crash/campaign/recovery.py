"""How long the jobs of a lost process waited until somebody took them up again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from tests.crash.campaign.house import House
from tests.crash.campaign.played import Played

TAKEN_UP = frozenset({"job.started", "job.completed", "job.failed", "job.canceled"})


def recoveries_s(house: House, played: Played) -> list[float]:
    """From the loss of a process to the next start (or end) of each job that was taken from it."""
    if not played.losses:
        return []
    events = house.rows(
        "SELECT e.job, e.type, e.at, e.payload FROM events e JOIN jobs j ON j.number = e.job"  # noqa: S608 - our own ids
        f" WHERE j.id IN ({', '.join(map(repr, played.ids)) or 'NULL'}) ORDER BY e.job, e.sequence"
    )
    of_job = (list(rows) for _, rows in groupby(events, key=lambda row: row["job"]))
    return [waited_s for rows in of_job for waited_s in _waits(rows, played.losses)]


def _waits(events: Sequence[dict[str, Any]], losses: Sequence[float]) -> Iterator[float]:
    """Of one job. A loss is the last one before the job was put back."""
    lost_at: float | None = None
    for event in events:
        if event["type"] == "job.requeued" and "worker_lost" in event["payload"]:
            lost_at = max((loss for loss in losses if loss <= event["at"]), default=None)
        elif event["type"] in TAKEN_UP and lost_at is not None:
            yield event["at"] - lost_at
            lost_at = None
