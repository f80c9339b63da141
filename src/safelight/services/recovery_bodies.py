"""Recoveries as they are shown, in every door alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from safelight.domain.clock import as_rfc3339
from safelight.services.job_filter import Found, JobFilter
from safelight.services.recoveries import Member, Recovery, Survey
from safelight.services.recovery_rules import WHY

SAMPLE = 10


def recovery_body(plan: Recovery) -> dict[str, Any]:
    """As it is shown."""
    return {
        "id": plan.id,
        "action": plan.action,
        "filter": filter_body(plan.meant),
        "message": plan.message or None,
        "state": plan.state,
        "requested_by": plan.requested_by,
        "requested_at": as_rfc3339(plan.requested_at),
        "effective_at": as_rfc3339(plan.effective_at),
        "stopped_by": plan.stopped_by,
        "ended_at": None if plan.ended_at is None else as_rfc3339(plan.ended_at),
        "jobs": plan.jobs,
        "users": plan.users,
        "credits": plan.credits,
        "untouched": reasons_body(json.loads(plan.untouched)),
        "outcomes": json.loads(plan.counts),
    }


def survey_body(found: Survey) -> dict[str, Any]:
    """What a plan finds, with some of the jobs."""
    return {
        "jobs": len(found.jobs),
        "users": found.users,
        "credits": found.credits,
        "untouched": reasons_body(found.untouched),
        "more": found.more,
        "sample": [_found_body(job) for job in found.jobs[:SAMPLE]],
    }


def filter_body(meant: JobFilter) -> dict[str, Any]:
    """Under the names that a request has for it."""
    given = {
        "status": list(meant.statuses),
        "queue": meant.queue,
        "model": meant.model,
        "provider": meant.provider,
        "kind": meant.kind,
        "error_code": meant.error_code,
        "user": meant.user,
        "finding": meant.finding,
        "labels": dict(meant.labels),
        "submitted_after": _time(meant.submitted_after),
        "submitted_before": _time(meant.submitted_before),
    }
    return {name: value for name, value in given.items() if value not in (None, {})}


def reasons_body(reasons: Mapping[str, int]) -> list[dict[str, Any]]:
    """How many jobs are left alone, and why, in words."""
    return [{"reason": reason, "jobs": n, "why": WHY[reason]} for reason, n in sorted(reasons.items())]


def member_body(member: Member) -> dict[str, Any]:
    return {
        "id": member.id,
        "user_id": member.user_id,
        "model": member.model or None,
        "status": member.status,
        "price": member.price,
        "outcome": member.outcome,
        "detail": member.detail,
        "at": _time(member.at),
    }


def _found_body(job: Found) -> dict[str, Any]:
    return {
        "id": job.id,
        "user_id": job.user_id,
        "model": job.model or None,
        "status": job.status,
        "price": job.price,
        "created_at": as_rfc3339(job.created_at),
    }


def _time(at: float | None) -> str | None:
    return None if at is None else as_rfc3339(at)
