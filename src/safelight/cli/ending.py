"""What is said of a job that has ended: how, after how long, and where its assets are."""

from __future__ import annotations

from typing import Any

from safelight.cli.door import Door
from safelight.cli.out import err, plain
from safelight.cli.when import between_s, span
from safelight.domain.jobs import Status

WORDS = {Status.FAILED: "failed", Status.CANCELED: "was canceled", Status.PARTIAL: "completed in part"}


def say_ended(job: dict[str, Any]) -> None:
    """How it ended and how long it took; for a failure, why and what to do."""
    console = err()
    took = span(between_s(job["created_at"], job["finished_at"]))
    if job["status"] == Status.COMPLETED:
        console.print(f"Completed in {took}.", style="green")
        for warning in job.get("warnings") or []:
            if warning["code"] == "cut_short":  # the others were told when it was submitted
                console.print(f"Note: {plain(warning['message'])}", style="yellow", soft_wrap=True)
        return
    error = job.get("error") or {}
    console.print(
        f"The job {WORDS[job['status']]} after {took}. {plain(error.get('message') or '')}".rstrip(),
        style="red",
        soft_wrap=True,
    )
    if error.get("remedy"):
        console.print(plain(error["remedy"]), soft_wrap=True)


def print_addresses(door: Door, job: dict[str, Any]) -> None:
    """The address of each asset on a line of its own, for people and pipes."""
    for asset in job["assets"]:
        print(asset["url"])
    if job["assets"] and not door.serves:
        err().print("No server is running; the address works once one is: safelight serve", style="dim")
