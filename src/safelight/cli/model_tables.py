"""Models in a terminal of 80 columns: all of them, one in full, and what their providers say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from safelight.catalog.pixels import megapixels
from safelight.catalog.schema_words import takes
from safelight.cli import when
from safelight.cli.out import plain
from safelight.cli.tables import plain_table

FOUND_STYLES = {"ok": "green", "gone": "red", "unfit": "red", "ends": "yellow"}
ID_WIDTH, CREDITS_WIDTH = 32, 13
_SHORTER = (
    (" per image", "/image"),
    (" per job", "/job"),
    (" per second", "/s"),
    (" per megapixel", "/MP"),
    (" in, ", "+"),
    (" out per million tokens", "/Mtok"),
)


def models_table(models: Sequence[dict[str, Any]]) -> Group:
    """Kind by kind, in the order of the catalog; one that cannot run now says why.

    Ids stay whole, to be copied: one that is too long for its column has a line of its own.
    """
    parts: list[Table | Text] = [table := _columns(show_header=True)]
    kind = None
    for model in models:
        if model["kind"] != kind:
            kind = model["kind"]
            table.add_row(Text(kind, "bold"))
        style, name = "" if model["available"] else "dim", f"  {plain(model['id'])}"
        if len(name) > ID_WIDTH:
            parts += [Text(name, style, no_wrap=True, overflow="ignore"), table := _columns(show_header=False)]
            name = ""
        table.add_row(name, _short(model["price"]["brief"]), f"{model['typical_s']:.3g} s", _now(model), style=style)
    return Group(*parts)


def _columns(*, show_header: bool) -> Table:
    """Of the same widths each time."""
    table = plain_table()
    table.show_header = show_header
    table.add_column("MODEL", no_wrap=True, min_width=ID_WIDTH)
    table.add_column("CREDITS", no_wrap=True, min_width=CREDITS_WIDTH)
    table.add_column("USUALLY", no_wrap=True, justify="right", min_width=len("USUALLY"))
    table.add_column("NOW", ratio=1)
    return table


def model_details(model: dict[str, Any]) -> Table:
    """Two columns; what is empty is left out."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in _rows(model):
        if value:
            table.add_row(name, value if isinstance(value, Text) else plain(value))
    return table


def parameters_table(parameters: Mapping[str, Mapping[str, Any]]) -> Table:
    table = plain_table()
    table.add_column("PARAMETER", no_wrap=True)
    table.add_column("TAKES", ratio=2)
    table.add_column("DEFAULT", no_wrap=True)
    table.add_column("MEANS", ratio=3)
    for name, schema in parameters.items():
        default = json.dumps(schema["default"]) if "default" in schema else "-"
        about = ". ".join(text.rstrip(".") for text in (schema.get("title"), schema.get("description")) if text)
        table.add_row(plain(name), plain(takes(schema)), plain(default), plain(about))
    return table


def checks_table(checks: Sequence[dict[str, Any]]) -> Table:
    """What there is to do first."""
    table = plain_table()
    table.add_column("MODEL", no_wrap=True, min_width=_longest(check["model"] for check in checks))
    table.add_column("PROVIDER", no_wrap=True)
    table.add_column("FOUND", no_wrap=True)
    table.add_column("NOTE", overflow="fold", ratio=1)
    for check in sorted(checks, key=lambda each: each["fine"] is not False):
        found = Text(check["found"].replace("_", " "), FOUND_STYLES.get(check["found"], "dim"))
        table.add_row(plain(check["model"]), plain(check["provider"]), found, plain(check["note"]))
    return table


def _rows(model: dict[str, Any]) -> list[tuple[str, str | Text]]:
    measured = f", measured in {model['measured_jobs']} jobs" if model["measured_jobs"] else ""
    p95 = f", nearly always within {when.span(model['p95_s'])}" if model["p95_s"] else ""
    return [
        ("Model", Text(plain(model["id"]), "bold")),
        ("", model["title"]),
        ("", model["description"]),
        ("Kind", model["kind"] + ("" if model["ai_generated"] else ", not AI")),
        ("Now", _now(model)),
        ("Runs at", ", ".join(model["providers"])),
        ("Also called", ", ".join(model["aliases"])),
        ("Credits", f"{model['price']['brief']}; {model['price_credits']} with its defaults"),
        ("Usually", f"{when.span(model['typical_s'])}{p95}{measured}"),
        ("Starts from", ", ".join(f"{role} ({rule['need']})" for role, rule in model["inputs"].items())),
        ("Sizes", _sizes(model.get("limits") or {})),
        ("Ends", _end(model)),
        ("Queue", model["queue"]),
    ]


def _now(model: dict[str, Any]) -> Text:
    if not model["available"]:
        return Text(plain(model["unavailable_reason"]), "yellow")
    return Text("default" if model["default"] else "available", "green")


def _sizes(limits: Mapping[str, Any]) -> str:
    """What width and height together may be; an older server does not tell."""
    told = (
        f"at least {megapixels(least)}" if (least := limits.get("min_pixels")) else "",
        f"at most {megapixels(most)}" if (most := limits.get("max_pixels")) else "",
        f"one side at most {ratio:g} times the other" if (ratio := limits.get("max_aspect")) else "",
        f"from pictures of at most {megapixels(taken)}" if (taken := limits.get("max_input_pixels")) else "",
    )
    return ", ".join(filter(None, told))


def _end(model: dict[str, Any]) -> str:
    if not model["shutdown_date"]:
        return ""
    return f"{model['shutdown_date']}" + (f", then {model['successor']}" if model["successor"] else "")


def _longest(ids: Iterable[str]) -> int:
    """Ids stay whole, to be copied: the other columns make room."""
    return max((len(plain(each)) for each in ids), default=0)


def _short(brief: str) -> str:
    for long, short in _SHORTER:
        brief = brief.replace(long, short)
    return brief
