"""Route of explanations: why a job waits, runs or ended as it did."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from safelight.api.context import Installation, Onlooker
from safelight.app import onlooking
from safelight.diagnosis.explain.explanation import explain
from safelight.diagnosis.explain.look_job import look_at_job
from safelight.domain.ids import is_id
from safelight.services.desk import no_such_job

router = APIRouter(tags=["jobs"])


@router.get("/api/jobs/{job_id}/debug", summary="Why a job is not done, or ended as it did")
@router.get("/api/health/queues/job/{job_id}/debug", include_in_schema=False)
async def debug(job_id: str, safelight: Installation, caller: Onlooker) -> dict[str, Any]:
    """One verdict with its evidence and what mends it, the timeline, and what comes next.

    Its owner is told what concerns them; codes, workers, providers and commands are for the scope `admin`.
    """
    look = onlooking(safelight)
    facts = await safelight.database.read(look_at_job, job_id, look) if is_id(job_id) else None
    if facts is None or facts.job.user_id != caller.user_id:
        raise no_such_job(job_id)
    explanation = explain(facts)
    return explanation.body() if "admin" in caller.scopes else explanation.user_body()
