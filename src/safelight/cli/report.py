"""The doctor's report in a terminal: each root with its cause and cure, and below it what follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from safelight.cli.out import plain
from safelight.cli.working import counted
from safelight.diagnosis.doctor import Report
from safelight.diagnosis.finding import Affected, Finding, Severity
from safelight.diagnosis.ranking import Ranked

STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
    Severity.INFO: "cyan",
}
NOUNS = {
    Severity.CRITICAL: "critical finding",
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}
STATUS_STYLES = {"healthy": "green", "degraded": "yellow", "unhealthy": "red"}

Line = Text | Padding | Table


def report_lines(report: Report) -> Iterator[Line]:
    """Fit for 80 columns."""
    counts = Counter(finding.severity for finding in report.findings)
    found = ", ".join(counted(counts[severity], NOUNS[severity]) for severity in reversed(Severity) if counts[severity])
    summary = Text.assemble((report.status, STATUS_STYLES[report.status]), f": {found or 'nothing found'}")
    yield summary.append(f" ({report.took_s:.1f} s)", "dim")
    for group in report.groups:
        yield Text()
        yield from finding_lines(group)


def finding_lines(group: Ranked, following: str = "consequence") -> Iterator[Line]:
    """A root in full, and a line for each that follows."""
    root = group.root
    yield _title(root)
    yield _indented(Text(plain(root.symptom)), 2)
    yield _answers(root)
    if group.consequences:
        yield Text(f"  and {counted(len(group.consequences), following)}:", "dim")
    for finding in group.consequences:
        yield _indented(Text.assemble((finding.code, STYLES[finding.severity]), f" {plain(finding.symptom)}"), 4)


def _indented(text: Text, columns: int) -> Padding:
    return Padding(text, (0, 0, 0, columns), expand=False)


def _title(finding: Finding) -> Text:
    title = Text.assemble((f"{finding.severity} ", STYLES[finding.severity]), (finding.code, "bold"))
    return title.append(f" {plain(finding.subject)}", "dim").append(_affects(finding.affects), "dim")


def _affects(affects: Affected) -> str:
    found = ((affects.jobs, "job"), (affects.credits, "credit"))
    return "".join(f" · {counted(n, noun)}" for n, noun in found if n)


def _answers(finding: Finding) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True, width=5)
    table.add_column(overflow="fold")
    table.add_row("  why", plain(finding.cause))
    table.add_row("  do", plain(finding.remedy.text))
    if finding.remedy.command:
        table.add_row("", Text(plain(finding.remedy.command), "bold"))
    return table
