"""What `safelight jobs ...` does: ask the API, print a table, details, events or JSON."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

import typer

from safelight.cli import when
from safelight.cli.details import file_lines, job_details, timeline
from safelight.cli.door import opened
from safelight.cli.edge import FINE, FOUND
from safelight.cli.ending import print_addresses, say_ended
from safelight.cli.out import err, out, plain, plain_lines, print_json, print_json_line
from safelight.cli.pick import pick
from safelight.cli.tables import jobs_table
from safelight.cli.watching import watch
from safelight.cli.writing import Paper
from safelight.client import Client
from safelight.domain.jobs import LIVE, Status


async def list_jobs(limit: int, filters: Mapping[str, str | None], *, as_json: bool) -> None:
    """`filters` as the API has them; None means: any."""
    async with opened() as door:
        page = await door.client.jobs(limit=limit, **filters)
    if as_json:
        print_json({"jobs": page.jobs, "nextCursor": page.next_cursor})
        return
    if not page.jobs:
        err().print("No such jobs." if any(filters.values()) else "No jobs.")
        return
    out().print(jobs_table(page.jobs, when.now()))
    if page.next_cursor is not None:
        err().print(f"The newest {len(page.jobs)}; --limit shows more.", style="dim")


async def show_job(text: str, *, as_json: bool) -> int:
    async with opened() as door:
        job = await door.client.job(await pick(door.client, text))
        events = await door.client.history(job)
    if as_json:
        print_json(job | {"events": [asdict(event) for event in events]})
        return _verdict(job)
    console = out()
    console.print(job_details(job, when.now()))
    console.print()
    console.print(timeline(job, events))
    for line in ["", *file_lines(job)] if job["assets"] else []:
        console.print(line, soft_wrap=True)
    if job.get("text"):
        console.print(f"\n{plain_lines(job['text'])}", soft_wrap=True)
    return _verdict(job)


async def watch_job(text: str, *, timeout_s: float | None, as_json: bool) -> int:
    async with opened() as door:
        job_id = await pick(door.client, text)
        job = await (_print_events if as_json else _watch)(door.client, job_id, timeout_s)
        if job is None:
            err().print(f"Job {job_id} has not ended yet. Ask again: safelight jobs show {job_id}", soft_wrap=True)
            return FOUND
        if not as_json:
            say_ended(job)
            print_addresses(door, job)
    return _verdict(job)


async def cancel_job(text: str, *, as_json: bool) -> int:
    async with opened() as door:
        answer = await door.client.cancel(await pick(door.client, text))
    job = answer["job"]
    if as_json:
        print_json(answer)
    elif answer["was"] == "ended":
        print(f"Job {job['id']} had ended already: {job['status']}.")
    elif job["status"] in LIVE:
        print(f"Job {job['id']} is running; it is being stopped.")
    else:
        print(f"Job {job['id']} is {job['status']}.")
    return FOUND if answer["was"] == "ended" and job["status"] != Status.CANCELED else FINE


async def delete_job(text: str, *, is_sure: bool, as_json: bool) -> None:
    """Asks first on a terminal, showing what would go."""
    async with opened() as door:
        job = await door.client.job(await pick(door.client, text))
        if not is_sure:
            files = len(job["assets"])
            named = f"{job['kind']} job {job['id']} ({plain(job['prompt'] or 'no prompt')[:60]})"
            typer.confirm(f"Delete {named} and its {files} file{'' if files == 1 else 's'}?", abort=True)
        await door.client.delete(job["id"])
    print_json({"deleted": job["id"]}) if as_json else print(f"Job {job['id']} is deleted.")


async def _watch(client: Client, job_id: str, timeout_s: float | None) -> dict[str, Any] | None:
    is_text = (await client.job(job_id))["kind"] == "text"
    return await watch(client, job_id, timeout_s, paper=Paper(sys.stdout) if is_text else None)


async def _print_events(client: Client, job_id: str, timeout_s: float | None) -> dict[str, Any] | None:
    try:
        async with asyncio.timeout(timeout_s), aclosing(client.events(job_id)) as events:
            async for event in events:
                print_json_line(asdict(event))
    except TimeoutError:
        return None
    return await client.job(job_id)


def _verdict(job: dict[str, Any]) -> int:
    return FINE if job["status"] in LIVE or job["status"] == Status.COMPLETED else FOUND
