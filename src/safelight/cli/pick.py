"""Find the job that a shortened id means."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

import typer

from safelight.client import Client, ClientError
from safelight.domain.ids import is_id

FEWEST = 4
"""Fewer characters would fit too many jobs."""
NEWEST = 1000
"""How many jobs are looked through."""
SHORT = 8
"""Characters from the end that tell jobs apart in a table: the beginning of an id is only its time."""


async def pick(client: Client, text: str) -> str:
    """The whole id. A whole one is not looked up; a short one is looked for among the newest jobs."""
    wanted = text.strip().lower()
    if is_id(wanted):
        return wanted
    if len(wanted) < FEWEST or not re.fullmatch(r"[0-9a-f-]+", wanted):
        raise typer.BadParameter(f"{text!r} is not a job's id, nor {FEWEST} or more characters of one.")
    found = [job async for job in _newest(client) if _fits(wanted, job["id"])]
    if not found:
        raise ClientError(
            f"None of the newest {NEWEST} jobs has an id like {text!r}.",
            code="not_found",
            remedy="List them with `safelight jobs list`, or give the whole id.",
        )
    if len(found) > 1:
        some = "\n".join(f"  {job['id']}  {job['status']}" for job in islice(found, 5))
        raise typer.BadParameter(f"{text!r} fits {len(found)} jobs; give more of it:\n{some}")
    return str(found[0]["id"])


def short(job_id: str) -> str:
    return job_id[-SHORT:]


def _fits(wanted: str, job_id: str) -> bool:
    return job_id.startswith(wanted) or job_id.endswith(wanted)


async def _newest(client: Client) -> AsyncIterator[dict[str, Any]]:
    seen = 0
    async for job in client.all_jobs():
        yield job
        seen += 1
        if seen == NEWEST:
            return
