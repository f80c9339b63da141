"""Health: alive, ready to work, and what is known to be wrong. Checks look at real rows and real disks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from safelight import __version__
from safelight.api.context import Installation, Reader
from safelight.app import Safelight
from safelight.domain.clock import as_rfc3339, local_s
from safelight.domain.errors import SafelightError, StorageFailed, Unavailable
from safelight.services import presence
from safelight.services.disk import LEAST_FREE_BYTES
from safelight.services.presence import Process
from safelight.store.tx import Tx
from safelight.worker.servers import is_live

T = TypeVar("T")
router = APIRouter(tags=["health"])

CHECK_LIMIT_S = 3.0


@router.get("/api/live", summary="Is the process alive?")
@router.get("/api/health/live", include_in_schema=False)
async def live() -> dict[str, Any]:
    """Always 200 while the process answers at all."""
    return {"status": "ok", "checks": {}}


@router.get("/api/ready", summary="Can it take and finish jobs?", responses={503: {"description": "Not now"}})
@router.get("/api/health/ready", include_in_schema=False)
async def ready(safelight: Installation) -> JSONResponse:
    """503 when a check fails; each check says what it found.

    A process without slots of its own is ready without a worker: what it accepts is durable, and waits.
    """
    checks = await run_checks(safelight)
    needed = checks if safelight.runs_jobs else checks.keys() - {"worker"}
    fine = all(checks[name]["ok"] for name in needed)
    return JSONResponse({"status": "ok" if fine else "unhealthy", "checks": checks}, 200 if fine else 503)


@router.get("/api/health", summary="How it is")
async def health(safelight: Installation, reader: Reader) -> dict[str, Any]:
    """Version, uptime, and what is wrong, the cause first: as `safelight doctor` finds it without asking anybody."""
    report = await safelight.checkup.report()
    return {
        "status": report.status,
        "version": __version__,
        "uptime_s": round(local_s() - safelight.started_at, 1),
        "findings": report.body()["findings"],
        "maintenance": await _maintenance(safelight),
    }


async def _maintenance(safelight: Safelight) -> dict[str, str] | None:
    """Why no new jobs are taken, and since when; None while they are, or where nobody can say."""
    try:
        found = await safelight.desk.closing_time.notice()
    except (OSError, SafelightError):
        return None
    return None if found is None else {"message": found.message, "since": as_rfc3339(found.since)}


@router.get("/api/health/workers", summary="Every process")
async def workers(safelight: Installation, reader: Reader) -> list[dict[str, Any]]:
    """What each process last said of itself."""
    now, processes = await safelight.database.read(_look)
    return [_worker(p, is_live(p, now, safelight.settings.lease_seconds)) for p in processes]


async def run_checks(safelight: Safelight) -> dict[str, dict[str, Any]]:
    """Each check by name: `ok`, and what was found. Bounded in time; none raises."""
    processes = await _processes(safelight)
    return {
        "database": _database_check(processes, safelight.database.hindrance()),
        "storage": await _storage_check(safelight),
        "worker": _worker_check(processes),
    }


async def _processes(safelight: Safelight) -> list[Process] | str:
    """Those that are live, or why nobody knows."""
    seen = await _asked(safelight, _look)
    if isinstance(seen, str):
        return seen
    now, processes = seen
    return [p for p in processes if is_live(p, now, safelight.settings.lease_seconds)]


async def _asked(safelight: Safelight, question: Callable[[Tx], T]) -> T | str:
    """What the database answers, or why it does not."""
    try:
        async with asyncio.timeout(CHECK_LIMIT_S):
            return await safelight.database.read(question)
    except (SafelightError, OSError, TimeoutError) as error:
        return str(error) or f"no answer within {CHECK_LIMIT_S:.0f} s"


def _look(tx: Tx) -> tuple[float, list[Process]]:
    return tx.now, presence.processes(tx)


def _database_check(processes: list[Process] | str, hindrance: BaseException | None) -> dict[str, Any]:
    if hindrance is not None:
        return _check(False, str(hindrance))
    if isinstance(processes, str):
        return _check(False, processes)
    return _check(True, "reachable", processes=len(processes))


async def _storage_check(safelight: Safelight) -> dict[str, Any]:
    """The object store, if files are in one, and the disks that jobs need."""
    try:
        async with asyncio.timeout(CHECK_LIMIT_S):
            await safelight.store.reach()
    except StorageFailed as error:
        return _check(False, f"{error.what} {error.remedy.text}", trouble=error.evidence["trouble"])
    except TimeoutError:
        return _check(False, f"The object store does not answer within {CHECK_LIMIT_S:.0f} s.", trouble="failed")
    return await asyncio.to_thread(_disk_check, safelight)


def _disk_check(safelight: Safelight) -> dict[str, Any]:
    try:
        free = safelight.desk.free_disk_bytes()
    except Unavailable as error:
        return _check(False, error.what)
    if free is None:
        return _check(True, "object store")
    return _check(free >= LEAST_FREE_BYTES, f"{free // 2**20} MB free", free_bytes=free)


def _worker_check(processes: list[Process] | str) -> dict[str, Any]:
    if isinstance(processes, str):
        return _check(False, "unknown: the database does not answer")
    live = [p for p in processes if p.slots and not p.draining]
    busy, slots = sum(p.busy for p in live), sum(p.slots for p in live)
    found = f"{len(live)} live, {busy} of {slots} slots busy" if live else "no worker is live: jobs wait"
    return _check(bool(live), found, live_workers=len(live), slots=slots, busy=busy)


def _check(ok: bool, found: str, **evidence: int | str) -> dict[str, Any]:
    return {"ok": ok, "found": found, "evidence": evidence}


def _worker(process: Process, live: bool) -> dict[str, Any]:
    status = "offline" if not live else "draining" if process.draining else "online"
    return {
        "worker": process.id,
        "role": process.role,
        "status": status,
        "lastHeartbeat": as_rfc3339(process.beat_at),
        "queues": process.queue_names,
        "slots": process.slots,
        "busy": process.busy,
        "version": process.version,
        "backend": process.backend,
        "providers": process.provider_names,
        "kinds": process.kind_names,
        "host": process.host,
        "pid": process.pid,
        "loopLagMs": round(process.loop_lag_ms, 1),
        "rssBytes": process.rss_bytes,
        "sweeps": process.sweeps_n,
        "lastSweep": None if process.swept_at is None else as_rfc3339(process.swept_at),
    }
