"""An explanation in a terminal: the verdict as the doctor shows findings, what comes next, and the timeline."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from safelight.cli import when
from safelight.cli.out import plain
from safelight.cli.report import Line, finding_lines
from safelight.cli.tables import STATUS_STYLES
from safelight.diagnosis.explain.explanation import Explanation
from safelight.diagnosis.explain.timeline import Step
from safelight.diagnosis.ranking import Ranked
from safelight.diagnosis.words import span
from safelight.domain.clock import as_rfc3339


def lines(found: Explanation) -> Iterator[Line]:
    """Fit for 80 columns."""
    job = found.facts.job
    title = Text.assemble((job.status, STATUS_STYLES.get(job.status, "")), f" {job.kind} {plain(job.model)}".rstrip())
    yield title.append(f" {job.id}", "dim")
    yield Text()
    yield from finding_lines(
        Ranked(found.primary.finding, tuple(each.finding for each in found.causes[1:])), "other reason"
    )
    yield from _outlook(found)
    yield Text()
    yield _timeline(found.steps)


def _outlook(found: Explanation) -> Iterator[Line]:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    if found.next:
        at = f"{when.clock(as_rfc3339(found.next.at))}: " if found.next.at else ""
        table.add_row("  next", f"{at}{plain(found.next.what)}")
    for each in found.would_start_if:
        table.add_row("  would start if", plain(each))
    table.add_row("  its user is told", plain(found.user))
    yield table


def _timeline(steps: tuple[Step, ...]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", style="dim")
    for step in steps:
        took = "" if step.took_s is None else span(step.took_s)
        usual = f"usually {span(step.usual.p50_s)}, most {span(step.usual.p95_s)}" if step.usual else ""
        note = "; ".join(part for part in (usual, plain(step.note)) if part)
        table.add_row(when.clock(as_rfc3339(step.at)), step.stage.replace("_", " "), took, note)
    return table
