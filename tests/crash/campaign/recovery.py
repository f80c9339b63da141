"""How long the jobs of a lost process waited until somebody took them up again."""

from __future__ import annotations

from tests.crash.campaign.house import House
from tests.crash.campaign.played import Played

TAKEN_UP = ("job.started", "job.completed", "job.failed", "job.canceled")


def recoveries_s(house: House, played: Played) -> list[float]:
    """From the first loss to the next start (or end) of each job that was taken from a lost worker after it."""
    if not played.losses:
        return []
    lost_at = min(played.losses)
    names = ", ".join(map(repr, played.ids)) or "NULL"
    events = house.rows(
        "SELECT e.job, e.type, e.at FROM events e JOIN jobs j ON j.number = e.job"  # noqa: S608 - our own ids
        f" WHERE j.id IN ({names}) AND e.at >= {lost_at!r} ORDER BY e.job, e.sequence"
    )
    taken = {row["job"]: row["at"] for row in reversed(events) if row["type"] == "job.requeued"}
    ends: dict[int, float] = {}
    for row in events:
        if row["job"] in taken and row["type"] in TAKEN_UP and row["at"] >= taken[row["job"]]:
            ends.setdefault(row["job"], row["at"])
    return [at - lost_at for at in ends.values()]
