"""The list of providers in a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from safelight.cli.out import plain
from safelight.cli.tables import plain_table

YES_NO = {True: Text("yes", "green"), False: Text("no", "red"), None: Text("?", "dim")}
KEY_WORDS = {"unknown": "?", "none": "-"}
KEY_STYLES = {"ok": "green", "bad": "red"}


def providers_table(providers: Sequence[dict[str, Any]], *, checked: bool) -> Table:
    """Those that are set up first; `checked` shows what they said of themselves."""
    table = plain_table()
    table.add_column("PROVIDER", no_wrap=True)
    table.add_column("GATE", no_wrap=True)
    for name in ("THERE", "KEY", "MONEY") if checked else ("TODAY",):
        table.add_column(name, no_wrap=True)
    table.add_column("NOTE", overflow="fold", ratio=1)
    for provider in sorted(providers, key=lambda each: not each["configured"]):
        told = _told(provider) if checked else (_today(provider),)
        style = "" if provider["configured"] else "dim"
        table.add_row(plain(provider["provider"]), _gate(provider), *told, plain(_note(provider)), style=style)
    return table


def _gate(provider: dict[str, Any]) -> Text:
    if not provider["configured"]:
        return Text("-")
    if provider["shut"]:
        return Text("shut", "red")
    return Text("trial", "yellow") if provider["breaker"] == "half_open" else Text("open", "green")


def _told(provider: dict[str, Any]) -> tuple[Text, Text, Text]:
    if not provider["configured"]:
        return Text("-"), Text("-"), Text("-")
    key = KEY_WORDS.get(provider["key"], provider["key"])
    return YES_NO[provider["reachable"]], Text(key, KEY_STYLES.get(key, "dim")), YES_NO[provider["money"]]


def _today(provider: dict[str, Any]) -> str:
    ceiling = provider["limits"]["dailyUsd"]
    of = "" if ceiling is None else f" of ${ceiling:.2f}"
    return f"${provider['spendTodayUsd']:.2f}{of}" if provider["configured"] else "-"


def _note(provider: dict[str, Any]) -> str:
    """The most telling thing first."""
    return "; ".join(filter(None, (_why(provider), _waiting(provider), _limits(provider))))


def _why(provider: dict[str, Any]) -> str:
    if not provider["configured"]:
        return str(provider["missing"])
    if shut := provider["shut"]:
        until = f" (until {shut['until'][:19].replace('T', ' ')} UTC)" if shut["until"] else ""
        return f"{shut['why']}{until}"
    if provider["message"]:
        return str(provider["message"])
    last = provider["lastError"]
    return f"last error, {last['at'][:16].replace('T', ' ')}: {last['message']}" if last else ""


def _waiting(provider: dict[str, Any]) -> str:
    waiting = provider["jobsWaiting"]
    return f"{waiting} {'job waits' if waiting == 1 else 'jobs wait'}" if waiting else ""


def _limits(provider: dict[str, Any]) -> str:
    limits = provider["limits"]
    at_a_time = f"{limits['concurrency']} at a time" if limits["concurrency"] else ""
    pace = f"{limits['requestsPerMinute']} a minute" if limits["requestsPerMinute"] else ""
    return "; ".join(filter(None, (at_a_time, pace)))
