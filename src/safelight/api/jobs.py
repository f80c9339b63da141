"""Routes of jobs: submit, look, list, cancel, delete."""

from __future__ import annotations

import time
import zlib
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask

from safelight.api import accepting, cursors
from safelight.api.bodies import Moment
from safelight.api.context import Caller, Installation, Onlooker, require
from safelight.api.etags import unchanged
from safelight.api.generate_bodies import Generate, Upscale
from safelight.api.look_again import look_again_s
from safelight.api.manner import Manner
from safelight.api.queries import LABELS, Labels
from safelight.api.submit_body import AnyKind, SubmitJob
from safelight.domain.jobs import LIVE, Status
from safelight.services.job_pages import PageRequest
from safelight.services.read_jobs import JobDetails
from safelight.storage import signing

router = APIRouter(tags=["jobs"])


@router.post("/api/jobs", status_code=202, summary="Submit a job")
async def submit_job(
    body: SubmitJob, request: Request, safelight: Installation, caller: Caller, manner: Manner
) -> Response:
    """Accept a job, or with kind `batch` many: all is durable and its credits are held when this answers."""
    return await accepting.submit(request, safelight, caller, body.meaning(), manner)


@router.post("/api/jobs/image-generation", status_code=202, summary="Submit an image job")
async def generate_image(
    body: Generate, request: Request, safelight: Installation, caller: Caller, manner: Manner
) -> Response:
    """The same for images; with `inputs` an edit or a variation. Also takes the older field names."""
    return await accepting.submit(request, safelight, caller, body.as_request("image"), manner, older=True)


@router.post("/api/jobs/video-generation", status_code=202, summary="Submit a video job")
async def generate_video(
    body: Generate, request: Request, safelight: Installation, caller: Caller, manner: Manner
) -> Response:
    """The same for videos; with `inputs` from a picture."""
    return await accepting.submit(request, safelight, caller, body.as_request("video"), manner, older=True)


@router.post("/api/jobs/text-generation", status_code=202, summary="Submit a text job")
async def generate_text(
    body: Generate, request: Request, safelight: Installation, caller: Caller, manner: Manner
) -> Response:
    """The same for texts."""
    return await accepting.submit(request, safelight, caller, body.as_request("text"), manner, older=True)


@router.post("/api/jobs/image-upscale", status_code=202, summary="Submit an upscale job")
async def upscale_image(
    body: Upscale, request: Request, safelight: Installation, caller: Caller, manner: Manner
) -> Response:
    """Make a picture larger: `inputs` with one of role `image`, or the older `imageUrl`."""
    return await accepting.submit(request, safelight, caller, body.as_upscale(), manner, older=True)


@router.get("/api/jobs", summary="List jobs, newest first", openapi_extra={"parameters": [LABELS]})
async def list_jobs(
    safelight: Installation,
    caller: Caller,
    labels: Labels,
    status: Status | None = None,
    kind: AnyKind | None = None,
    model: Annotated[str, Query(max_length=200)] = "",
    parent: Annotated[str, Query(max_length=64, description="A batch: its items, which no other list has.")] = "",
    since: Moment | None = None,
    user: Annotated[str, Query(max_length=200, description="Somebody else: for keys with the scope `admin`.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> dict[str, Any]:
    """Every job of the caller, whatever its state or age; with `user`, of somebody else, for the scope `admin`."""
    if user not in ("", caller.user_id):
        require(caller, "admin")
    page = PageRequest(
        user or caller.user_id,
        limit,
        before=cursors.read(cursor),
        status=status or "",
        kind=kind or "",
        model=model,
        since=since.timestamp() if since else 0.0,
        parent=parent,
        labels=labels,
    )
    found, more = await safelight.desk.jobs(page)
    bodies = [safelight.desk.body(details, caller.base) for details in found]
    return {"jobs": bodies, "nextCursor": cursors.written(more)}


@router.get("/api/jobs/{job_id}", summary="Look at a job", responses={202: {"description": "Not finished yet"}})
async def show_job(job_id: str, request: Request, safelight: Installation, caller: Onlooker) -> Response:
    """202 while it is unfinished, 200 after; 304 if nothing changed since the ETag given."""
    details = await safelight.desk.job(job_id, caller.user_id)
    etag = _etag(details)
    live = details.job.status in LIVE
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if live:
        headers["Retry-After"] = str(look_again_s(details))
    if unchanged(request, etag):
        return Response(status_code=304, headers=headers)
    return JSONResponse(safelight.desk.body(details, caller.base), 202 if live else 200, headers)


@router.post("/api/jobs/{job_id}/cancel", summary="Cancel a job")
async def cancel_job(job_id: str, safelight: Installation, caller: Onlooker) -> dict[str, Any]:
    """A waiting job ends at once; a running one is stopped by its worker, unless it delivers first."""
    was, details = await safelight.desk.cancel(job_id, caller.user_id)
    return {"was": was, "job": safelight.desk.body(details, caller.base)}


@router.delete("/api/jobs/{job_id}", status_code=204, summary="Delete a job")
async def delete_job(job_id: str, safelight: Installation, caller: Caller) -> Response:
    """An ended job, or a whole batch, with its files; what it has cost stays in the ledger. 409 while it lives."""
    marked = await safelight.desk.remove(job_id, caller.user_id)
    return Response(status_code=204, background=BackgroundTask(safelight.pruner.finish, marked))


def _etag(details: JobDetails) -> str:
    """Changes with the job, its items, its place in the queue, and the hour in which URLs are signed."""
    hour = signing.hour(time.time())
    items = "".join(f"-{n}" for n in details.items.by_status.values()) if details.items else ""
    waits = (details.ahead, details.eta_s, details.queue_paused, details.unserved, details.gate)
    place = zlib.crc32(repr(waits).encode())
    return f'W/"{details.job.sequence}-{place:x}-{len(details.assets)}-{hour}{items}"'
