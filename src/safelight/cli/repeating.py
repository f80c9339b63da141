"""What `safelight jobs retry`, `replay` and `items` do."""

from __future__ import annotations

from typing import Any

from safelight.cli import when
from safelight.cli.door import opened
from safelight.cli.out import err, out, print_json
from safelight.cli.pick import pick
from safelight.cli.tables import jobs_table


async def retry_job(text: str, *, as_json: bool) -> None:
    async with opened() as door:
        job_id = await pick(door.client, text)
        job = await door.client.retry(job_id)
    if as_json:
        print_json(job)
    elif job["id"] == job_id:
        print(f"Job {job_id} is tried again now.")
    else:
        _say_made(job, job_id)


async def replay_job(text: str, mode: str, *, as_json: bool) -> None:
    async with opened() as door:
        job_id = await pick(door.client, text)
        job = await door.client.replay(job_id, mode)
    print_json(job) if as_json else _say_made(job, job_id)


async def list_items(text: str, *, status: str | None, as_json: bool) -> None:
    async with opened() as door:
        job_id = await pick(door.client, text)
        items = [item async for item in door.client.all_items(job_id, status=status)]
        is_batch = bool(items) or (await door.client.job(job_id))["kind"] == "batch"
    if as_json:
        print_json({"jobs": items})
    elif items:
        out().print(jobs_table(items, when.now()))
    elif not is_batch:
        err().print(f"Job {job_id} is no batch: it has no items.")
    else:
        err().print("No items." if status is None else "No such items.")


def _say_made(job: dict[str, Any], original: str) -> None:
    """The new id alone on standard output, so that it can be piped on."""
    err().print(f"Made from job {original}. Watch it: safelight jobs watch {job['id']}", soft_wrap=True)
    print(job["id"])
