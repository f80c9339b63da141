"""Route of queues: how each is doing, in the shape that dashboards of the older systems read."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from safelight.api.context import Installation, Reader
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
    report = await safelight.checkup.report()
    every = [row for rows in look.ended.values() for row in rows]
    return {
        "status": report.status,
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
        "findings": report.body()["findings"],
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
