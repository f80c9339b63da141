"""One job in full: what was asked, how it stands, what it made, and what happened when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from safelight.cli import when
from safelight.cli.out import plain
from safelight.cli.tables import STATUS_STYLES, items_in_words
from safelight.cli.waiting import waits
from safelight.client import Event
from safelight.domain.jobs import LIVE, EventType

PASSING = frozenset({"snapshot", EventType.PROGRESS, EventType.PREVIEW, EventType.OUTPUT})
"""Said while they are new, never stored."""

Row = tuple[str, str | Text]


def job_details(job: dict[str, Any], now: datetime) -> Table:
    """Two columns; what is empty is left out."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in [*_request(job, now), *_course(job), *_error(job)]:
        if value:
            table.add_row(name, value if isinstance(value, Text) else plain(value))
    return table


def file_lines(job: dict[str, Any]) -> list[str]:
    """A line on each asset and its address: to be printed without wrapping, so that it can be copied."""
    lines = []
    for asset in job["assets"]:
        size = f"{asset['width']}×{asset['height']}, " if asset["width"] else ""  # noqa: RUF001 (it is that sign)
        lines += [f"{asset['mime']}, {size}{asset['bytes'] / 1024:,.0f} KB", asset["url"]]
    return lines


def timeline(job: dict[str, Any], events: Sequence[Event]) -> Table:
    """What happened when, and how long after the step before. Without events, the times in the job's body."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(overflow="fold", style="dim")
    before = ""
    for at, step, note in _steps_told(events) or _steps_known(job):
        passed = f"+{when.span(when.between_s(before, at))}" if before else ""
        table.add_row(when.clock(at), Text(step.replace("_", " "), STATUS_STYLES.get(step, "")), passed, plain(note))
        before = at
    return table


def _request(job: dict[str, Any], now: datetime) -> list[Row]:
    return [
        ("Job", job["id"]),
        ("Status", _standing(job)),
        ("Model", f"{job['model']} ({job['kind']})" if job["model"] else job["kind"]),
        ("Items", items_in_words(job)),
        ("Batch", job.get("parent_id") or ""),
        ("Made from", job.get("replay_of") or ""),
        ("Prompt", job["prompt"] or ""),
        ("Params", ", ".join(f"{name} {value}" for name, value in job["params"].items())),
        ("Labels", ", ".join(f"{name}={value}" for name, value in job["labels"].items())),
        ("Created", f"{when.local(job['created_at'])} ({when.ago(job['created_at'], now)})"),
    ]


def _standing(job: dict[str, Any]) -> Text:
    standing = Text(job["status"], STATUS_STYLES.get(job["status"], ""))
    if job["status"] in LIVE:
        standing.append(f", {job['stage'].replace('_', ' ')}, {job['progress']:.0%}")
        standing.append(f"; {plain(words)}" if (words := waits(job)) else "")
    return standing


def _course(job: dict[str, Any]) -> list[Row]:
    started, finished = job["started_at"], job["finished_at"]
    waited = f"waited {when.span(when.between_s(job['created_at'], started))}" if started else ""
    ran = f"ran {when.span(when.between_s(started, finished))}" if started and finished else ""
    return [
        ("Took", ", ".join(filter(None, (waited, ran)))),
        ("Attempt", f"{job['attempt']} of {job['max_attempts']}" if job["attempt"] > 1 else ""),
        ("Credits", ", ".join(f"{credits} {what}" for what, credits in job["credits"].items() if credits)),
    ]


def _error(job: dict[str, Any]) -> list[Row]:
    error = job["error"] or {}
    return [
        ("Error", Text(plain(error.get("message") or ""), "red")),
        ("Code", error.get("code") or ""),
        ("Provider", error.get("provider_message") or ""),
        ("Its request", error.get("provider_request_id") or ""),
        ("Remedy", error.get("remedy") or ""),
    ]


def _steps_told(events: Sequence[Event]) -> list[tuple[str, str, str]]:
    told = [event for event in events if event.type not in PASSING]
    return [(event.at, event.type.removeprefix("job."), _note(event.payload)) for event in told]


def _note(payload: dict[str, Any]) -> str:
    error = payload.get("error") or {}
    return str(error.get("message") or payload.get("reason") or "")


def _steps_known(job: dict[str, Any]) -> list[tuple[str, str, str]]:
    known = [("submitted", "created_at"), ("started", "started_at"), (job["status"], "finished_at")]
    return [(job[field], step, "") for step, field in known if job[field]]
