"""Routes of tasks: jobs for clients that say `task`, and expect `{"success", "data"}`. Live news: `task_channel.py`."""

from __future__ import annotations

from typing import Any, Final

import structlog
from fastapi import APIRouter
from fastapi.responses import JSONResponse

from safelight.api import task_words
from safelight.api.accepting import headers_of, submitter
from safelight.api.context import Caller, Installation, Visitor
from safelight.api.manner import Key
from safelight.api.task_bodies import CreateTask
from safelight.api.task_words import Task
from safelight.app import Safelight
from safelight.domain.errors import NotFound, Remedy
from safelight.domain.jobs import Status
from safelight.services.made_by import made_by
from safelight.services.read_jobs import JobDetails

CREATED: Final = "Task created and queued for processing"
CREATED_BEFORE: Final = "This Idempotency-Key has created the task before"
_ERROR: Final = {
    "type": "object",
    "required": ["success", "error"],
    "properties": {
        "success": {"const": False},
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {name: {"type": "string"} for name in ("code", "message", "remedy")},
        },
        "request_id": {"type": ["string", "null"]},
    },
}
_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"description": "A problem with the request", "content": {"application/json": {"schema": _ERROR}}},
    "5XX": {"description": "A problem of the server", "content": {"application/json": {"schema": _ERROR}}},
}

router = APIRouter(tags=["tasks"], responses=_ERRORS)


@router.post(
    "/api/tasks",
    status_code=202,
    summary="Create a task",
    responses={200: {"description": "The same key has created this task before"}},
)
async def create_task(
    body: CreateTask, safelight: Installation, caller: Caller, idempotency_key: Key = None
) -> JSONResponse:
    """The same job as `POST /api/jobs` makes; follow it on the channel `task:ID`, or by looking."""
    accepted = await safelight.desk.submit(body.as_request(), submitter(caller, idempotency_key))
    job = accepted.details.job
    structlog.contextvars.bind_contextvars(job_id=job.id, kind=job.kind)
    data = task_words.created(Task(safelight.desk.body(accepted.details, caller.base)))
    message = CREATED_BEFORE if accepted.replayed else CREATED
    where = {"Location": f"{caller.base}/api/tasks/{job.id}"}
    headers = where | await headers_of(safelight, caller, accepted)
    told = {"success": True, "data": data, "message": message}
    return JSONResponse(told, 200 if accepted.replayed else 202, headers)


@router.get("/api/tasks/{job_id}", summary="Look at a task")
async def show_task(job_id: str, safelight: Installation, caller: Caller) -> dict[str, Any]:
    """Every job of yours is a task but a batch, whichever door made it."""
    details = await find_task(safelight, job_id, caller.user_id)
    return {"success": True, "data": task_words.shown(await task_of(safelight, caller, details))}


async def find_task(safelight: Safelight, task_id: str, user_id: str) -> JobDetails:
    """A user's task. Raises NotFound, also for those of others, and for batches.

    Ids are read in either case: Swift writes its UUIDs in capitals.
    """
    try:
        details = await safelight.desk.job(task_id.lower(), user_id)
    except NotFound as error:
        raise _no_such_task(task_id) from error
    if details.job.kind == "batch":
        raise _no_such_task(task_id)
    return details


async def task_of(safelight: Safelight, caller: Visitor, details: JobDetails) -> Task:
    """With what made it, if it is made."""
    body = safelight.desk.body(details, caller.base)
    if details.job.status != Status.COMPLETED:
        return Task(body)
    return Task(body, await safelight.database.read(made_by, details.job.id))


def _no_such_task(task_id: str) -> NotFound:
    shown = task_id if len(task_id) <= 64 else f"{task_id[:63]}…"
    return NotFound(f"There is no task {shown!r}.", remedy=Remedy("Check the id; GET /api/jobs lists what is yours."))
