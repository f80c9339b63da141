"""Find the job that a shortened id means."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable
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
    wanted = _asked_for(text)
    if is_id(wanted):
        return wanted
    return _the_one(wanted, [(job["id"], job["status"]) async for job in _newest(client)])


def pick_among(text: str, newest: Callable[[int], Iterable[tuple[str, str]]]) -> str:
    """The same where no client is needed; `newest` gives at most so many ids with their statuses."""
    wanted = _asked_for(text)
    return wanted if is_id(wanted) else _the_one(wanted, newest(NEWEST))


def short(job_id: str) -> str:
    return job_id[-SHORT:]


def _asked_for(text: str) -> str:
    wanted = text.strip().lower()
    if not is_id(wanted) and (len(wanted) < FEWEST or not re.fullmatch(r"[0-9a-f-]+", wanted)):
        raise typer.BadParameter(f"{text!r} is not a job's id, nor {FEWEST} or more characters of one.")
    return wanted


def _the_one(wanted: str, newest: Iterable[tuple[str, str]]) -> str:
    found = [(job_id, status) for job_id, status in newest if job_id.startswith(wanted) or job_id.endswith(wanted)]
    if not found:
        raise ClientError(
            f"None of the newest {NEWEST} jobs has an id like {wanted!r}.",
            code="not_found",
            remedy="List them with `safelight jobs list`, or give the whole id.",
        )
    if len(found) > 1:
        some = "\n".join(f"  {job_id}  {status}" for job_id, status in found[:5])
        raise typer.BadParameter(f"{wanted!r} fits {len(found)} jobs; give more of it:\n{some}")
    return found[0][0]


async def _newest(client: Client) -> AsyncIterator[dict[str, Any]]:
    seen = 0
    async for job in client.all_jobs():
        yield job
        seen += 1
        if seen == NEWEST:
            return
