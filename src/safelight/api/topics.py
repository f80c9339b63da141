"""What can be watched: one job, or all jobs of a user. Yields news ready to be sent, and None while there is none.

A slow reader holds nobody up and has nothing kept for it: it is asked for nothing until it comes back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from safelight.api.context import Visitor
from safelight.api.wording import Worded, Wording
from safelight.app import Safelight
from safelight.domain.errors import Gone, NotFound, Remedy
from safelight.domain.jobs import LIVE
from safelight.events.follow import SNAPSHOT, Envelope, envelopes, follow, read_after
from safelight.events.own_jobs import OwnJob, OwnJobs
from safelight.services.read_jobs import JobDetails
from safelight.telemetry import metrics

LOOK_AGAIN_S = 30.0
"""Beside the rounds of `Feeds`: a job that came and ended between two of them may be found only by this look."""


class Watching(NamedTuple):
    """Who watches, and where."""

    safelight: Safelight
    wording: Wording
    caller: Visitor


async def watched(safelight: Safelight, job_id: str, caller: Visitor, after: int | None) -> JobDetails:
    """The job that somebody wants to watch. Raises NotFound; Gone for those whose cursor says that they saw it."""
    try:
        return await safelight.desk.job(job_id, caller.user_id)
    except NotFound as error:
        if after is None:
            raise
        remedy = Remedy("Forget it: it was removed, or was never yours. GET /api/jobs lists your jobs.")
        raise Gone("This job is no longer here.", remedy=remedy, evidence={"job_id": job_id[:64]}) from error


async def job_news(
    watching: Watching, details: JobDetails, after: int | None, quiet_s: float | None = None
) -> AsyncIterator[Worded | None]:
    """Without `after`: a snapshot, then news until the job has ended. With it: only what came after that sequence.

    Raises Gone when the job is removed.
    """
    safelight, wording, caller = watching
    while True:
        job, read = details.job, ""
        if after is None:
            after, read = job.sequence, job.text or ""
            yield wording.snapshot(details, caller)
            if job.status not in LIVE:
                return
        async for envelope in follow(safelight.feeds, job.id, after, read, quiet_s):
            if envelope is None:
                yield None
            elif envelope.type == SNAPSHOT:
                break
            else:
                yield await wording.of(envelope, caller)
                if envelope.is_last:
                    return
            if safelight.stopping:
                return
        else:
            await watched(safelight, job.id, caller, after)  # its end was seen before, or it is gone
            return
        details, after = await watched(safelight, job.id, caller, after), None


async def user_news(watching: Watching) -> AsyncIterator[Worded | None]:
    """A snapshot of each job that is unfinished or ended in the last ten minutes, and of each new one; their news."""
    safelight = watching.safelight
    user_id = watching.caller.user_id
    with (
        safelight.hub.waiting(f"user:{user_id}", by_name_only=True) as waiter,
        safelight.feeds.jobs_of(user_id) as own,
        metrics.SUBSCRIBERS.track_inprogress(),
    ):
        seen = _Seen(watching, own)
        look = await own.beginning()
        while not safelight.stopping:
            async for news in seen.news(look.found):
                yield news
            if not await waiter.wait(LOOK_AGAIN_S):
                yield None
            waiter.clear()
            look = await own.after(look)


class _Place(NamedTuple):
    """How far the reader has come with one job."""

    sequence: int
    text: str
    live: bool


class _Seen:
    """What one reader has seen of a user's jobs."""

    def __init__(self, watching: Watching, own: OwnJobs) -> None:
        self._watching, self._own = watching, own
        self._places: dict[str, _Place] = {}

    async def news(self, jobs: list[OwnJob]) -> AsyncIterator[Worded]:
        """Of those that are further than the reader, in the order in which they were submitted."""
        there = {job.id: job.sequence for job in jobs}
        for name, sequence in there.items():
            place = self._places.get(name)
            if place is None or place.sequence < sequence:
                async for news in self._of(name, place, sequence):
                    yield news
        for name in [name for name in self._places if name not in there]:
            if self._places[name].live:  # it ended unseen, or was removed
                async for news in self._of(name, self._places[name], None):
                    yield news
            del self._places[name]

    async def _of(self, job_id: str, place: _Place | None, at_least: int | None) -> AsyncIterator[Worded]:
        if place is None:
            if (snapshot := await self._snapshot(job_id)) is not None:
                yield snapshot
            return
        found = await self._own.feed(job_id).news(place.sequence, at_least)
        if found is None:
            return
        told: list[Envelope] = envelopes(job_id, found, place.sequence, place.text)
        text = read_after(told, found, place.text)
        self._places[job_id] = _Place(found.brief.sequence, text, not found.ended)
        for envelope in told:
            yield await self._watching.wording.of(envelope, self._watching.caller)

    async def _snapshot(self, job_id: str) -> Worded | None:
        safelight, wording, caller = self._watching
        try:
            details = await safelight.desk.job(job_id, caller.user_id)
        except NotFound:
            return None
        job = details.job
        self._places[job_id] = _Place(job.sequence, job.text or "", job.status in LIVE)
        return wording.snapshot(details, caller)
