"""How routes that make jobs answer: 202 for a submit, 201 for a job made again, and what a repeated key gets."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import Header
from fastapi.responses import JSONResponse

from safelight.api.context import Visitor
from safelight.app import Safelight
from safelight.domain.jobs import LIVE
from safelight.services.desk import Accepted
from safelight.services.prepare import Caller as Submitter
from safelight.services.prepare import JobRequest
from safelight.services.prepare_batch import BatchRequest

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="The same key and body give the same job.",
    ),
]


def submitter(caller: Visitor, key: str | None) -> Submitter:
    """Who asks, as the desk wants to know it."""
    return Submitter(caller.user_id, caller.request_id, key, caller.base)


async def submit(
    safelight: Safelight, caller: Visitor, request: JobRequest | BatchRequest, key: str | None, *, older: bool = False
) -> JSONResponse:
    """Submit and answer; `older` adds the `jobId` that older clients look for."""
    accepted = await safelight.desk.submit(request, submitter(caller, key))
    status = 202 if not accepted.replayed or accepted.details.job.status in LIVE else 200
    return answer(safelight, caller, accepted, status, older=older)


def answer(
    safelight: Safelight, caller: Visitor, accepted: Accepted, status: int, *, older: bool = False
) -> JSONResponse:
    """The body of a job that was made, and where to find it."""
    job = accepted.details.job
    structlog.contextvars.bind_contextvars(job_id=job.id, kind=job.kind)
    body = safelight.desk.body(accepted.details, caller.base)
    if older:
        body["jobId"] = body["id"]
    headers = {"Location": body["urls"]["self"]}
    if accepted.replayed:
        headers["Idempotency-Replayed"] = "true"
    return JSONResponse(body, status, headers)
