"""Routes that make a job once more: retry what did not complete, replay what has ended."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from safelight.api import accepting
from safelight.api.context import Caller, Installation
from safelight.api.manner import Key
from safelight.services.again import Again, DueNow, Mode

router = APIRouter(tags=["jobs"])


class Replay(BaseModel):
    """How an ended job is to be made once more."""

    model_config = ConfigDict(extra="forbid", strict=True)

    mode: Mode = Field(
        default="rerun", description="`rerun` makes a new call; `resume` fetches what the old one made at its provider."
    )


@router.post(
    "/api/jobs/{job_id}/retry",
    status_code=201,
    summary="Retry a job",
    responses={200: {"description": "It was waiting for its next try, which is due now"}},
)
async def retry_job(job_id: str, safelight: Installation, caller: Caller, idempotency_key: Key = None) -> JSONResponse:
    """A failed or canceled job becomes a new one, a batch a new one of its unfinished items; prices are today's."""
    made = await Again(safelight.desk).retry(job_id, accepting.submitter(caller, idempotency_key))
    if isinstance(made, DueNow):
        return JSONResponse(safelight.desk.body(made.details, caller.base))
    return accepting.answer(safelight, caller, made, 200 if made.replayed else 201)


@router.post("/api/jobs/{job_id}/replay", status_code=201, summary="Replay a job")
async def replay_job(
    job_id: str,
    safelight: Installation,
    caller: Caller,
    body: Replay | None = None,
    idempotency_key: Key = None,
) -> JSONResponse:
    """An ended job becomes a new one. A resumed one is free if the first was paid for."""
    mode = (body or Replay()).mode
    made = await Again(safelight.desk).replay(job_id, mode, accepting.submitter(caller, idempotency_key))
    return accepting.answer(safelight, caller, made, 200 if made.replayed else 201)
