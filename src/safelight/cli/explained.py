"""An explanation in a terminal: the verdict as the doctor shows findings, what comes next, and the timeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from safelight.cli import when
from safelight.cli.out import plain
from safelight.cli.report import Line, finding_lines
from safelight.cli.tables import STATUS_STYLES
from safelight.diagnosis.finding import finding_of
from safelight.diagnosis.ranking import Ranked
from safelight.diagnosis.words import span


def lines(body: Mapping[str, Any]) -> Iterator[Line]:
    """Fit for 80 columns. The body is that of `GET /api/jobs/{id}/debug`, from here or from a server."""
    job = body["job"]
    model = plain(job["model"] or "")
    title = Text.assemble((job["status"], STATUS_STYLES.get(job["status"], "")), f" {job['kind']} {model}".rstrip())
    yield title.append(f" {job['id']}", "dim")
    yield Text()
    others = tuple(finding_of(each) for each in body["others"])
    yield from finding_lines(Ranked(finding_of(body["verdict"]), others), "other reason")
    yield from _outlook(body)
    yield Text()
    yield _timeline(body["timeline"])


def _outlook(body: Mapping[str, Any]) -> Iterator[Line]:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    if comes := body["next"]:
        at = f"{when.clock(comes['at'])}: " if comes["at"] else ""
        table.add_row("  next", f"{at}{plain(comes['what'])}")
    for each in body["would_start_if"]:
        table.add_row("  would start if", plain(each))
    table.add_row("  its user is told", plain(body["voices"]["user"]))
    yield table


def _timeline(steps: Sequence[Mapping[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", style="dim")
    for step in steps:
        took = "" if step["took_s"] is None else span(step["took_s"])
        known = step["usual_s"]
        usual = f"usually {span(known['p50'])}, most {span(known['p95'])}" if known else ""
        note = "; ".join(part for part in (usual, plain(step["note"])) if part)
        table.add_row(when.clock(step["at"]), plain(step["stage"]).replace("_", " "), took, note)
    return table
