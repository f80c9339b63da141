"""Lists in a terminal of 80 columns: no lines, one row each, long texts cut."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from safelight.cli import when
from safelight.cli.out import plain
from safelight.cli.pick import short
from safelight.cli.working import size
from safelight.domain.access import PREFIX

if TYPE_CHECKING:
    from safelight.maintenance.pruned import Pruned
    from safelight.services.pause import QueueRow
    from safelight.services.users import User
    from safelight.settings import SettingRow

PROCESS_STYLES = {"online": "green", "draining": "yellow", "offline": "red"}
STATUS_STYLES = {
    "pending": "yellow",
    "processing": "cyan",
    "completed": "green",
    "failed": "red",
    "canceled": "magenta",
    "partial": "yellow",
}


def jobs_table(jobs: Sequence[dict[str, Any]], now: datetime) -> Table:
    """One line per job; a prompt that does not fit is cut."""
    table = plain_table()
    table.add_column("ID", no_wrap=True)
    table.add_column("STATUS", no_wrap=True)
    table.add_column("MODEL", no_wrap=True, max_width=18)
    table.add_column("CREATED", no_wrap=True)
    table.add_column("PROMPT", no_wrap=True, ratio=1)
    for job in jobs:
        table.add_row(
            short(job["id"]),
            Text(job["status"], STATUS_STYLES.get(job["status"], "")),
            plain(job["model"] or job["kind"]),
            when.ago(job["created_at"], now),
            plain(job["prompt"] or items_in_words(job)),
        )
    return table


def items_in_words(job: dict[str, Any]) -> str:
    """`3 items: 2 completed, 1 failed`; nothing for what is no batch."""
    items = job.get("items")
    if not items:
        return ""
    standing = ", ".join(f"{count} {status}" for status, count in items["by_status"].items())
    return f"{items['total']} {'item' if items['total'] == 1 else 'items'}: {standing}"


def workers_table(workers: Sequence[dict[str, Any]], now: datetime) -> Table:
    """One line per process, the oldest first."""
    table = plain_table()
    for name in ("PROCESS", "ROLE", "STATUS", "BUSY", "VERSION", "LAST BEAT"):
        table.add_column(name, no_wrap=True)
    table.add_column("SERVES", no_wrap=True, ratio=1)
    for worker in workers:
        table.add_row(
            short(worker["worker"]),
            worker["role"],
            Text(worker["status"], PROCESS_STYLES.get(worker["status"], "")),
            f"{worker['busy']}/{worker['slots']}" if worker["slots"] else "-",
            plain(worker["version"]),
            when.ago(worker["lastHeartbeat"], now),
            plain(", ".join(worker["queues"])),
        )
    return table


def settings_table(rows: Sequence[SettingRow]) -> Table:
    """What is not the default stands out."""
    table = plain_table()
    table.add_column("SETTING", no_wrap=True)
    table.add_column("VALUE", overflow="fold")
    table.add_column("FROM", overflow="fold")
    for row in rows:
        style = "dim" if row.source == "default" else ""
        source = row.source.removesuffix(f" {row.name}")  # "environment" is enough where the name is the same
        table.add_row(row.name, plain(row.value), plain(source), style=style)
    return table


def queues_table(rows: Sequence[QueueRow]) -> Table:
    """In the order of their names; one that is paused says why."""
    table = plain_table()
    table.add_column("QUEUE", no_wrap=True)
    for name in ("READY", "DELAYED", "PARKED", "RUNNING"):
        table.add_column(name, no_wrap=True, justify="right")
    table.add_column("STATE", overflow="fold", ratio=1)
    for row in rows:
        paused = "" if row.paused_at is None else f"paused {plain(row.pause_reason or '')}".strip()
        counts = (str(count) for count in (row.ready, row.delayed, row.parked, row.running))
        table.add_row(plain(row.name), *counts, Text(paused or "open", "yellow" if paused else "green"))
    return table


def users_table(users: Sequence[User]) -> Table:
    """By name; what was not said is as for everybody."""
    table = plain_table()
    table.add_column("USER", overflow="fold")
    table.add_column("TIER", no_wrap=True)
    table.add_column("RUNNING CAP", no_wrap=True)
    for user in users:
        table.add_row(plain(user.user_id), plain(user.tier or "-"), str(user.running_cap or "-"))
    return table


def keys_table(keys: Sequence[dict[str, Any]], now: datetime) -> Table:
    """One line per key, the oldest first."""
    table = plain_table()
    for name in ("ID", "KEY"):
        table.add_column(name, no_wrap=True)
    table.add_column("USER", overflow="fold")
    for name in ("SCOPES", "STATUS", "EXPIRES", "USED"):
        table.add_column(name, no_wrap=True)
    table.add_column("NAME", ratio=1, overflow="fold")
    for key in keys:
        table.add_row(
            short(key["id"]) if key["id"] else "-",
            key["shown"].removeprefix(PREFIX),
            plain(key["user_id"]),
            "+".join(key["scopes"]),
            Text(key["status"], "green" if key["status"] == "valid" else "dim"),
            when.ago(key["expires_at"], now) if key["expires_at"] else "never",
            when.ago(key["used_at"], now) if key["used_at"] else "-",
            plain(key["name"]),
        )
    return table


def pruned_table(done: Pruned) -> Table:
    """What went, by status, by kind where there are several, and together."""
    table = plain_table()
    table.add_column("STATUS", no_wrap=True)
    for name in ("JOBS", "FILES", "BYTES"):
        table.add_column(name, no_wrap=True, justify="right")
    for status, jobs in sorted(done.jobs.items()):
        row = (f"{jobs}", f"{done.files[status]}", size(done.bytes[status]))
        table.add_row(Text(status, STATUS_STYLES.get(status, "")), *row)
    for kind, counts in sorted(done.kinds.items()) if len(done.kinds) > 1 else ():
        table.add_row(f"of kind {kind}", f"{counts['jobs']}", f"{counts['files']}", size(counts["bytes"]))
    table.add_row("all", f"{done.jobs.total()}", f"{done.files.total()}", size(done.bytes.total()), style="bold")
    return table


def plain_table() -> Table:
    """The form that all lists share."""
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=True)


def found_table(jobs: Sequence[dict[str, Any]], now: datetime) -> Table:
    """Some of many jobs that a command would touch."""
    table = plain_table()
    for name in ("ID", "STATUS", "CREDITS", "CREATED"):
        table.add_column(name, no_wrap=True)
    table.add_column("MODEL", no_wrap=True, max_width=18)
    table.add_column("USER", no_wrap=True, ratio=1)
    for job in jobs:
        status = Text(job["status"], STATUS_STYLES.get(job["status"], ""))
        created = when.ago(job["created_at"], now)
        table.add_row(
            short(job["id"]), status, str(job["price"]), created, plain(job["model"] or "batch"), plain(job["user_id"])
        )
    return table


def recoveries_table(recoveries: Sequence[dict[str, Any]], now: datetime) -> Table:
    """One line per plan."""
    table = plain_table()
    for name in ("ID", "ACTION", "STATE", "JOBS", "CREDITS", "PLANNED"):
        table.add_column(name, no_wrap=True)
    table.add_column("BY", no_wrap=True, ratio=1)
    for each in recoveries:
        table.add_row(
            short(each["id"]),
            each["action"],
            each["state"],
            str(each["jobs"]),
            str(each["credits"]),
            when.ago(each["requested_at"], now),
            plain(each["requested_by"]),
        )
    return table


def members_table(members: Sequence[dict[str, Any]]) -> Table:
    """The jobs of a plan, and what became of each."""
    table = plain_table()
    for name in ("JOB", "STATUS", "CREDITS", "OUTCOME"):
        table.add_column(name, no_wrap=True)
    table.add_column("USER", no_wrap=True, max_width=18)
    table.add_column("", no_wrap=True, ratio=1)
    for each in members:
        status = Text(each["status"], STATUS_STYLES.get(each["status"], ""))
        outcome, detail = each["outcome"] or "-", plain(each["detail"] or "")
        table.add_row(short(each["id"]), status, str(each["price"]), outcome, plain(each["user_id"]), detail)
    return table
