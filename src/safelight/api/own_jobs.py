"""Routes for many of one's own jobs at once: cancel them, or make them again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from safelight.api import accepting
from safelight.api.context import Caller, Installation, Visitor
from safelight.api.job_filters import OwnJobs as Body
from safelight.api.manner import Key
from safelight.services.again import Again
from safelight.services.own_jobs import Done, OwnJobs
from safelight.services.recoveries import Survey, Wanted
from safelight.services.recovery_bodies import survey_body
from safelight.services.recovery_rules import Action

router = APIRouter(tags=["jobs"])

DryRun = Annotated[bool, Query(description="Say what it would touch; touch nothing.")]


@router.post("/api/jobs/cancel", summary="Cancel many of your jobs")
async def cancel_jobs(body: Body, safelight: Installation, caller: Caller, dry_run: DryRun = False) -> dict[str, Any]:
    """By a filter, the newest first, at most 200 at once: while it answers `more`, ask again."""
    own = OwnJobs(Again(safelight.desk))
    found = await own.find(_wanted(body, Action.CANCEL, caller))
    return _answer(found, None if dry_run else await own.cancel(found.jobs))


@router.post("/api/jobs/retry", summary="Retry many of your jobs")
async def retry_jobs(
    body: Body, safelight: Installation, caller: Caller, dry_run: DryRun = False, idempotency_key: Key = None
) -> dict[str, Any]:
    """By a filter, failed ones if no status is given. What was made again before is left out; stops at a refusal."""
    own = OwnJobs(Again(safelight.desk))
    found = await own.find(_wanted(body, Action.RETRY, caller))
    asked_by = accepting.submitter(caller, idempotency_key)
    return _answer(found, None if dry_run else await own.retry(found.jobs, asked_by))


def _wanted(body: Body, action: Action, caller: Visitor) -> Wanted:
    meant = body.filter.meant(action, user=caller.user_id)
    return Wanted(action, meant, "", caller.user_id, 0.0, body.filter.older_than_s)


def _answer(found: Survey, done: Done | None) -> dict[str, Any]:
    survey = survey_body(found)
    del survey["users"]
    done = done or Done()
    return {
        **survey,
        "outcomes": dict(done.outcomes),
        "made": [{"from": made.source, "id": made.id} for made in done.made],
        "refusal": done.why,
    }
