"""Routes of batches: submit one under its own address, and look at its items."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from safelight.api import accepting, cursors
from safelight.api.batch_bodies import GenerateBatch
from safelight.api.context import Caller, Installation, Onlooker
from safelight.api.manner import Manner
from safelight.domain.jobs import Status
from safelight.services.job_pages import ItemsRequest

router = APIRouter(tags=["batches"])


@router.post("/api/jobs/batch-generation", status_code=202, summary="Submit a batch")
async def generate_batch(
    body: GenerateBatch, request: Request, safelight: Installation, caller: Caller, manner: Manner
) -> Response:
    """Up to 1,000 jobs at once, all or none: `items`, or each of `prompts` on each of `models`, `n` times."""
    return await accepting.submit(request, safelight, caller, body.as_batch(), manner, older=True)


@router.get("/api/jobs/{job_id}/items", summary="List a batch's items")
async def list_items(
    job_id: str,
    safelight: Installation,
    caller: Onlooker,
    status: Status | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> dict[str, Any]:
    """In the order in which they were asked for."""
    after = cursors.read(cursor, cursors.ITEMS, first=0)
    page = ItemsRequest(caller.user_id, job_id, limit, after, status or "")
    found, more = await safelight.desk.items(page)
    bodies = [safelight.desk.body(details, caller.base) for details in found]
    return {"jobs": bodies, "nextCursor": cursors.written(more, cursors.ITEMS)}
