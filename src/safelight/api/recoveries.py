"""Routes of recoveries: what is done with many stuck jobs at once. For operators; planned first, stopped till then."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from safelight.api import cursors
from safelight.api.context import Installation, Operator
from safelight.api.job_filters import PlanRecovery
from safelight.app import Safelight
from safelight.diagnosis.meant import MEANS, meant_by
from safelight.domain.errors import Conflict, NotFound, Remedy
from safelight.domain.ids import is_id, new_id
from safelight.services import recoveries
from safelight.services.recoveries import Survey, Wanted
from safelight.services.recovery_bodies import member_body, recovery_body, survey_body
from safelight.services.recovery_rules import WHY

router = APIRouter(prefix="/api/admin", tags=["recoveries"])
log = structlog.get_logger(__name__)


@router.post("/recoveries", status_code=201, summary="Plan what is done with many stuck jobs")
async def plan_recovery(
    body: PlanRecovery,
    safelight: Installation,
    operator: Operator,
    dry_run: Annotated[bool, Query(description="Say what it would touch; plan nothing.")] = False,
) -> JSONResponse:
    """201 with the plan, which any process of the installation carries out in its time; 200 for a dry run."""
    known = await _known(safelight, body)
    meant = body.filter.meant(body.action, user=body.filter.user, known=known)
    meant = replace(meant, finding=body.filter.finding)
    who = f"{operator.user_id} ({body.by})" if body.by else operator.user_id
    wanted = Wanted(body.action, meant, body.message, who, body.after_s, body.filter.older_than_s)
    if dry_run:
        return JSONResponse(survey_body(await safelight.database.read(recoveries.survey, wanted)))
    made, found = await safelight.database.write(recoveries.plan, wanted, new_id())
    if made is None:
        raise _nothing_to_do(found)
    log.info("recovery_planned", recovery=made.id, action=made.action, requested_by=who, jobs=made.jobs)
    return JSONResponse({**recovery_body(made), **survey_body(found)}, 201)


@router.get("/recoveries", summary="List recoveries, newest first")
async def list_recoveries(
    safelight: Installation,
    operator: Operator,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> dict[str, Any]:
    """All there ever were, also those that were stopped."""
    before = cursors.read(cursor, cursors.RECOVERIES)
    found, more = await safelight.database.read(recoveries.newest, before, limit)
    return {
        "recoveries": [recovery_body(each) for each in found],
        "nextCursor": cursors.written(more, cursors.RECOVERIES),
    }


@router.get("/recoveries/{recovery_id}", summary="Look at a recovery")
async def show_recovery(
    recovery_id: str,
    safelight: Installation,
    operator: Operator,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many of its jobs.")] = 100,
) -> dict[str, Any]:
    """Who planned what, for which jobs, and what became of each."""
    database = safelight.database
    found = await database.read(recoveries.recovery, recovery_id) if is_id(recovery_id) else None
    if found is None:
        raise _no_such(recovery_id)
    members = await database.read(recoveries.members, found.number, limit)
    return {**recovery_body(found), "members": [member_body(member) for member in members]}


@router.delete("/recoveries/{recovery_id}", summary="Stop a recovery before it takes effect")
async def stop_recovery(recovery_id: str, safelight: Installation, operator: Operator) -> dict[str, Any]:
    """409 once it has begun."""
    database = safelight.database
    stopped = await database.write(recoveries.stop, recovery_id, operator.user_id) if is_id(recovery_id) else None
    if stopped is not None:
        log.info("recovery_stopped", recovery=recovery_id, stopped_by=operator.user_id)
        return recovery_body(stopped)
    found = await database.read(recoveries.recovery, recovery_id) if is_id(recovery_id) else None
    if found is None:
        raise _no_such(recovery_id)
    was = {"canceled": "was stopped before", "done": "is done"}.get(found.state, "has begun")
    raise Conflict(
        f"Recovery {recovery_id} cannot be stopped: it {was}.",
        remedy=Remedy("See what became of its jobs.", f"safelight recover show {recovery_id}"),
        evidence={"state": found.state},
    )


async def _known(safelight: Safelight, body: PlanRecovery) -> dict[str, str]:
    """What the finding that is named is about."""
    code = body.filter.finding
    if code is None:
        return {}
    field = MEANS.get(code)
    narrowed = getattr(body.filter, field) if field else None
    report = await safelight.checkup.report()
    found, subject = meant_by(code, report.findings, narrowed)
    return {found: subject}


def _nothing_to_do(found: Survey) -> Conflict:
    left = "; ".join(f"{n} of which {WHY[reason]}" for reason, n in sorted(found.untouched.items()))
    return Conflict(
        f"There is no job to be touched{f': {left}' if left else ', for none is like that'}.",
        remedy=Remedy("Look which there are.", "safelight doctor"),
        evidence={"untouched": dict(found.untouched)},
    )


def _no_such(recovery_id: str) -> NotFound:
    return NotFound(
        f"There is no recovery {recovery_id[:64]!r}.", remedy=Remedy("See which there are.", "safelight recover list")
    )
