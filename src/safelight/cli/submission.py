"""What `safelight submit` does: hand in, say so, wait if that makes sense, save, print."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safelight.cli.door import Door, opened
from safelight.cli.edge import FINE, FOUND
from safelight.cli.ending import print_addresses, say_ended
from safelight.cli.inputs import Given, brought
from safelight.cli.out import err, plain, print_json
from safelight.cli.save import save
from safelight.cli.watching import watch
from safelight.cli.when import span
from safelight.cli.writing import Paper
from safelight.domain.jobs import Status


async def run(
    request: dict[str, Any],
    pictures: Sequence[Given],
    *,
    wait: bool | None,
    timeout_s: float,
    output: Path | None,
    as_json: bool,
) -> int:
    """The exit code. `wait=None`: wait if there is somebody who will run the job."""
    async with opened() as door:
        job = await door.client.submit(**request, inputs=await brought(door.client, pictures) or None)
        _say_submitted(job)
        if wait is False or not await will_be_run(door, job, wait):
            print_json(job) if as_json else print(job["id"])
            return FINE
        paper = Paper(sys.stdout) if job["kind"] == "text" and not as_json else None
        ended = await watched(door, job["id"], timeout_s, paper)
        if ended is None:
            err().print(f"Not ended after {span(timeout_s)}. Go on: safelight jobs watch {job['id']}", soft_wrap=True)
            return FOUND
        return await _deliver(door, ended, output, as_json)


def _say_submitted(job: dict[str, Any]) -> None:
    console = err()
    console.print(f"Job {job['id']} ({job['kind']}, {job['model']})", style="dim", soft_wrap=True)
    for warning in job.get("warnings") or []:
        console.print(f"Note: {plain(warning['message'])}", style="yellow", soft_wrap=True)


async def will_be_run(door: Door, job: dict[str, Any], wait: bool | None) -> bool:
    """Without a worker a job waits for ever; then we do so too only if asked to."""
    if await door.has_worker(job["queue"]):
        return True
    err().print("No worker is running; the job waits. Start one: safelight worker", style="yellow", soft_wrap=True)
    return wait is True


async def watched(door: Door, job_id: str, timeout_s: float, paper: Paper | None = None) -> dict[str, Any] | None:
    """The ended job. Ctrl-C ends the watching only, and says so."""
    try:
        return await watch(door.client, job_id, timeout_s, paper=paper)
    except asyncio.CancelledError:
        err().print(f"The job goes on. Watch it: safelight jobs watch {job_id}", soft_wrap=True)
        raise


async def _deliver(door: Door, job: dict[str, Any], output: Path | None, as_json: bool) -> int:
    say_ended(job)
    if output is not None:
        for path, size_bytes in await save(door.client, job, output):
            err().print(f"Saved {path} ({size_bytes / 1024:,.0f} KB)", soft_wrap=True)
    if as_json:
        print_json(job)
    else:
        print_addresses(door, job)
    return FINE if job["status"] == Status.COMPLETED else FOUND
