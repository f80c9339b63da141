"""Waiting for a job's end inside the request that made it (`Prefer: wait=N`): woken by its news, for a limited time."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import Final

from fastapi import Request

from safelight.api.while_there import while_there
from safelight.app import Safelight
from safelight.domain.jobs import LIVE
from safelight.events.follow import follow
from safelight.services.read_jobs import JobDetails

MOST_WAITING: Final = 1_000
"""Requests of one process that may wait at a time. Whoever comes after them is answered at once, as without a wait."""


class WaitingRoom:
    """Counts those who wait in one process."""

    def __init__(self, seats: int = MOST_WAITING) -> None:
        self.free = seats

    async def ended(
        self, safelight: Safelight, request: Request, details: JobDetails, user_id: str, within_s: float
    ) -> JobDetails | None:
        """The job, ended or not, after the wait; None if nobody more may wait. Raises ClientDisconnect.

        Whoever hangs up, waits no longer; the job goes on.
        """
        if details.job.status not in LIVE:
            return details
        if not self.free:
            return None
        self.free -= 1
        try:
            return await while_there(request, _ended(safelight, details, user_id, within_s))
        finally:
            self.free += 1


async def _ended(safelight: Safelight, details: JobDetails, user_id: str, within_s: float) -> JobDetails:
    job_id = details.job.id
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while details.job.status in LIVE and not safelight.stopping:
                await _until_told(safelight, job_id, details.job.sequence)
                details = await safelight.desk.job(job_id, user_id)
            return details
    return await safelight.desk.job(job_id, user_id)


async def _until_told(safelight: Safelight, job_id: str, sequence: int) -> None:
    """Until the job has ended; or we are to stop, or so much has happened that its row tells it better."""
    async with aclosing(follow(safelight.feeds, job_id, sequence)) as news:  # type: ignore[type-var]
        async for _ in news:
            if safelight.stopping:
                return
