"""What `safelight jobs deliveries` does: show each event that a callback is told, and every try."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from safelight.cli import when
from safelight.cli.door import opened
from safelight.cli.edge import FINE, FOUND
from safelight.cli.out import err, out, plain, print_json
from safelight.cli.pick import pick
from safelight.cli.tables import plain_table

STATE_STYLES = {"waiting": "yellow", "delivered": "green", "failed": "red"}


async def show_deliveries(text: str, *, as_json: bool) -> int:
    async with opened() as door:
        job_id = await pick(door.client, text)
        found = await door.client.deliveries(job_id)
    if as_json:
        print_json({"deliveries": found})
    elif found:
        out().print(_table(found))
    else:
        err().print(f"Nothing was to be told of job {job_id}: it has no callback, or none of its events came yet.")
    return FOUND if any(delivery["state"] == "failed" for delivery in found) else FINE


def _table(found: list[dict[str, Any]]) -> Table:
    table = plain_table()
    for name in ("EVENT", "STATE", "TRIES"):
        table.add_column(name, no_wrap=True)
    table.add_column("LAST ANSWER", ratio=1)
    for delivery in found:
        style = STATE_STYLES.get(delivery["state"], "")
        table.add_row(delivery["type"], Text(delivery["state"], style), str(len(delivery["tries"])), _last(delivery))
    return table


def _last(delivery: dict[str, Any]) -> str:
    """And when it is told again, while it waits."""
    last = delivery["tries"][-1] if delivery["tries"] else None
    answer = "" if last is None else last["error"] or f"status {last['status']}"
    again = f"next try {when.local(delivery['due_at'])}" if delivery["due_at"] else ""
    return plain("; ".join(part for part in (answer, again) if part))
