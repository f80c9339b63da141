"""How routes that make jobs answer: 202 for a submit, 200 for one that was waited for, 201 for a job made again."""

from __future__ import annotations

import math

import structlog
from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from safelight.api.context import Visitor
from safelight.api.look_again import look_again_s
from safelight.api.manner import Wishes
from safelight.api.waiting import WaitingRoom
from safelight.app import Safelight
from safelight.domain.errors import CallerError, Unavailable
from safelight.domain.jobs import LIVE
from safelight.services.desk import Accepted
from safelight.services.prepare import Caller as Submitter
from safelight.services.prepare import JobRequest
from safelight.services.prepare_batch import BatchRequest
from safelight.services.quote import Quotes
from safelight.services.read_jobs import JobDetails


def submitter(caller: Visitor, key: str | None) -> Submitter:
    """Who asks, as the desk wants to know it."""
    goes_first, is_local = "admin" in caller.scopes, caller.is_local
    return Submitter(caller.user_id, caller.request_id, key, caller.base, goes_first=goes_first, is_local=is_local)


async def submit(
    request: Request,
    safelight: Safelight,
    caller: Visitor,
    asked: JobRequest | BatchRequest,
    manner: Wishes,
    *,
    older: bool = False,
) -> Response:
    """Submit and answer as wished; `older` adds the `jobId` that older clients look for."""
    if manner.dry_run:
        quotes = Quotes(safelight.desk, safelight.caps.now)
        return JSONResponse(await quotes.quote(asked, submitter(caller, manner.key)))
    accepted = await safelight.desk.submit(asked, submitter(caller, manner.key))
    waited = await _waited(request, safelight, caller, accepted, manner.wait_s) if manner.wait_s else None
    if waited is not None:
        accepted = accepted._replace(details=waited)
    has_ended = accepted.details.job.status not in LIVE
    status = 200 if has_ended and (accepted.replayed or waited is not None) else 202
    made = answer(safelight, caller, accepted, status, older=older)
    made.headers.update(await allowance_headers(safelight, caller))
    if waited is not None:
        made.headers["Preference-Applied"] = f"wait={manner.wait_s}"
    return made


async def allowance_headers(safelight: Safelight, caller: Visitor) -> dict[str, str]:
    """What the caller may submit in a time, and what is left of it, as the IETF's draft of RateLimit fields has it."""
    found = await safelight.desk.allowance(submitter(caller, None))
    if found is None:
        return {}
    rate, left = found
    policy = f'"submits";q={rate.amount};w={math.ceil(rate.per_s)}'
    return {"RateLimit-Policy": policy, "RateLimit": f'"submits";r={left.left};t={math.ceil(left.whole_in_s)}'}


async def headers_of(safelight: Safelight, caller: Visitor, accepted: Accepted) -> dict[str, str]:
    """What any door tells beside its own body: the caller's allowance, and whether the key had made the job before."""
    replayed = {"Idempotency-Replayed": "true"} if accepted.replayed else {}
    return {**await allowance_headers(safelight, caller), **replayed}


async def _waited(
    request: Request, safelight: Safelight, caller: Visitor, accepted: Accepted, within_s: float
) -> JobDetails | None:
    """The job after the wait; None if there was none. Whatever fails meanwhile, the job was made and is told."""
    room: WaitingRoom = request.app.state.waiting_room
    try:
        return await room.ended(safelight, request, accepted.details, caller.user_id, within_s)
    except (CallerError, Unavailable):
        return None
    except ClientDisconnect:
        return None  # nobody reads the answer


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
    if job.status in LIVE:
        headers["Retry-After"] = str(look_again_s(accepted.details))
    if accepted.replayed:
        headers["Idempotency-Replayed"] = "true"
    return JSONResponse(body, status, headers)
