"""Route of queues: how each is doing, in the shape that dashboards of the older systems read."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from safelight.api.context import Installation, Reader
from safelight.api.health import found_wrong
from safelight.domain.clock import as_rfc3339
from safelight.services import queue_health as health
from safelight.services.pause import QueueRow
from safelight.services.queue_health import QueueHealth
from safelight.worker.servers import is_live

router = APIRouter(tags=["health"])


@router.get("/api/health/queues", summary="Every queue")
async def queues(safelight: Installation, reader: Reader) -> dict[str, Any]:
    """Depth, rates per minute over 5 minutes, errors and seconds over an hour, ended jobs over a day."""
    look = await safelight.database.read(health.look)
    lease_s = safelight.settings.lease_seconds
    live = [p for p in look.processes if p.slots and not p.draining and is_live(p, look.now, lease_s)]
    workers = {row.name: sum(row.name in p.queue_names for p in live) for row in look.queues}
    findings = [*await found_wrong(safelight), *_findings(look, workers)]
    every = [row for rows in look.ended.values() for row in rows]
    return {
        "status": _status(findings),
        "timestamp": as_rfc3339(look.now),
        "backend": _backend(look),
        "cloudTasksEnabled": False,
        "queues": {row.name: _queue(row, look, workers[row.name]) for row in look.queues},
        "processingStats": {
            "totalJobsProcessed": look.processed,
            "activeJobs": sum(row.running for row in look.queues),
            "averageProcessingTime": health.average_s(every),
            "errorRate": health.error_rate(every),
        },
        "findings": findings,
    }


def _backend(look: QueueHealth) -> str:
    return next((p.backend for p in reversed(look.processes) if p.lost_at is None), "database")


def _queue(row: QueueRow, look: QueueHealth, workers: int) -> dict[str, Any]:
    rows = look.ended.get(row.name, [])
    waiting = row.ready + row.parked
    since = look.waiting_since.get(row.name)
    return {
        "depth": waiting + row.delayed,
        "waiting": waiting,
        "active": row.running,
        "completed": health.completed(rows),
        "failed": health.failed(rows),
        "delayed": row.delayed,
        "paused": row.paused_at is not None,
        "oldestWaitingSeconds": 0 if since is None or not waiting else round(max(0.0, look.now - since)),
        "processingRate": health.per_minute(rows),
        "errorRate": health.error_rate(rows),
        "workers": workers,
    }


def _status(findings: list[dict[str, Any]]) -> str:
    severities = {finding["severity"] for finding in findings}
    if severities & {"error", "critical"}:
        return "unhealthy"
    return "degraded" if "warning" in severities else "healthy"


def _findings(look: QueueHealth, workers: dict[str, int]) -> list[dict[str, Any]]:
    """Queues in which jobs wait for somebody who is not there."""
    anybody = any(workers.values())
    found = []
    for row in look.queues:
        waiting = row.ready + row.parked
        if waiting and row.paused_at is not None:
            reason = f": {row.pause_reason}" if row.pause_reason else "."
            remedy = ("Let it go on.", f"safelight queue resume {row.name}")
            found.append(_finding("QUEUE_PAUSED", row, waiting, f"An operator paused it{reason}", remedy))
        elif waiting and anybody and not workers[row.name]:
            remedy = ("Start a worker for it.", f"safelight worker --queue {row.name}")
            found.append(_finding("NO_WORKER_FOR_QUEUE", row, waiting, "No live worker serves it.", remedy))
    return found


def _finding(code: str, row: QueueRow, waiting: int, cause: str, remedy: tuple[str, str]) -> dict[str, Any]:
    """As everywhere (FRONT_DOORS, section 8). Where no worker at all is live, the check of that says so."""
    return {
        "code": code,
        "severity": "warning" if code == "QUEUE_PAUSED" else "error",
        "subject": row.name,
        "symptom": f"{waiting} job(s) wait in queue {row.name!r}.",
        "evidence": {"waiting": waiting},
        "cause": cause,
        "remedy": {"text": remedy[0], "command": remedy[1]},
        "because_of": None,
        "affects": {"jobs": waiting, "credits": 0},
    }
