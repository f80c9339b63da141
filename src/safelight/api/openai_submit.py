"""Submitting at OpenAI's door: who asks and how often before, and the wait for the job's end."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

import structlog
from fastapi import Depends, Header, Request

from safelight.api.accepting import submitter
from safelight.api.context import Caller
from safelight.api.manner import Key
from safelight.api.waiting import WaitingRoom
from safelight.app import Safelight
from safelight.domain.errors import CallerError, Remedy, Unavailable
from safelight.domain.jobs import LIVE
from safelight.services.prepare import Caller as Submitter
from safelight.services.prepare import JobRequest
from safelight.services.read_jobs import JobDetails

LONGEST_WAIT_S: Final = 590.0
"""A little less than the official clients wait for an answer, so that they hear the job's id."""
SentBefore = Annotated[
    int,
    Header(
        alias="x-stainless-retry-count",
        ge=0,
        le=1_000,
        description="How often the client has sent this before; above 0 it joins the job that it made then.",
    ),
]


async def asking(caller: Caller, key: Key = None, sent_before: SentBefore = 0) -> Submitter:
    """Who asks, as the desk wants to know it."""
    return replace(submitter(caller, key), sent_before=sent_before)


Asker = Annotated[Submitter, Depends(asking)]


async def submitted(safelight: Safelight, asked: JobRequest, asker: Submitter) -> JobDetails:
    """The job that was made, or joined. Raises as every submit does."""
    accepted = await safelight.desk.submit(asked, asker)
    job = accepted.details.job
    structlog.contextvars.bind_contextvars(job_id=job.id, kind=job.kind)
    return accepted.details


async def ended(request: Request, safelight: Safelight, details: JobDetails, user_id: str) -> JobDetails:
    """The job once it has ended. Raises Unavailable, with its id, where it cannot be waited for any longer.

    Raises ClientDisconnect for a client that has gone; the job goes on.
    """
    room: WaitingRoom = request.app.state.waiting_room
    try:
        found = await room.ended(safelight, request, details, user_id, LONGEST_WAIT_S)
    except (CallerError, Unavailable) as error:
        raise goes_on(details.job.id, error.what) from error
    if found is None:
        raise goes_on(details.job.id, "Too many requests wait for their jobs.")
    if found.job.status in LIVE:
        why = "This process is being stopped." if safelight.stopping else f"It took longer than {LONGEST_WAIT_S:g} s."
        raise goes_on(details.job.id, why)
    return found


def goes_on(job_id: str, why: str) -> Unavailable:
    """The job was made, and is not lost with the answer."""
    return Unavailable(
        f"Job {job_id} was accepted and goes on, but cannot be waited for here: {why}",
        remedy=Remedy("Look at it a little later.", f"GET /api/jobs/{job_id}"),
        evidence={"job_id": job_id},
    )
