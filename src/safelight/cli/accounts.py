"""An account and its entries in a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from safelight.cli import when
from safelight.cli.out import plain
from safelight.cli.pick import short
from safelight.cli.tables import plain_table

KIND_STYLES = {"grant": "green", "capture": "cyan", "refund": "yellow", "adjustment": "magenta"}


def account_details(account: dict[str, Any]) -> Table:
    """Figures one below the other, so that the sum can be seen."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim", no_wrap=True)
    table.add_row("Balance", f"{account['balance']:,}", "")
    table.add_row("Held", f"{account['held']:,}", "for unfinished jobs" if account["held"] else "")
    table.add_row("Available", Text(f"{account['available']:,}", "bold"), "")
    return table


def entries_table(entries: Sequence[dict[str, Any]], now: datetime) -> Table:
    """One line per entry. What belongs to no job says why it is there."""
    table = plain_table()
    table.add_column("NUMBER", no_wrap=True)
    table.add_column("WHEN", no_wrap=True)
    table.add_column("KIND", no_wrap=True)
    for name in ("CREDITS", "HELD", "BALANCE"):
        table.add_column(name, no_wrap=True, justify="right")
    table.add_column("FOR", no_wrap=True, ratio=1)
    for entry in entries:
        table.add_row(
            str(entry["number"]),
            when.ago(entry["at"], now),
            Text(entry["kind"], KIND_STYLES.get(entry["kind"], "")),
            _signed(entry["balance_delta"]),
            _signed(entry["held_delta"]),
            f"{entry['balance_after']:,}",
            _purpose(entry),
        )
    return table


def _signed(amount: int) -> str:
    return f"{amount:+,}" if amount else ""


def _purpose(entry: dict[str, Any]) -> str:
    job = f"job {short(entry['job_id'])}" if entry["job_id"] else ""
    return plain(" ".join(filter(None, (job, entry["note"]))) or entry["reference"] or "a pruned job")
