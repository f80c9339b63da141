"""The table at the end of a campaign: what was done to Safelight, how often, and what broke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.crash.campaign.verdict import Verdict

TITLE = "scenario                 runs  jobs lost doubled late holds audit    p50    p99"
COUNTS = ("jobs", "lost", "doubled", "late", "holds", "audit")


@dataclass(slots=True)
class Line:
    """What the runs of one scenario add up to. `endings` says how their jobs ended."""

    runs: int = 0
    broken: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    recoveries_s: list[float] = field(default_factory=list)
    endings: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        self.runs += 1
        self.broken += not verdict.clean
        self.counts.update({name: getattr(verdict, name) for name in COUNTS})
        self.recoveries_s += verdict.recoveries_s
        self.endings.update(verdict.endings)

    def row(self, name: str) -> str:
        jobs, lost, doubled, late, holds, audit = (self.counts[each] for each in COUNTS)
        p50, p99 = (_seconds(percentile(self.recoveries_s, share)) for share in (0.50, 0.99))
        return f"{name:<24}{self.runs:>5}{jobs:>6}{lost:>5}{doubled:>8}{late:>5}{holds:>6}{audit:>6}{p50:>7}{p99:>7}"


def scorecard(lines: dict[str, Line], order: Iterable[str]) -> str:
    """At most 80 columns wide. p50 and p99: from the loss of a process to the next start of its jobs."""
    played = [name for name in order if name in lines]
    total = Line()
    for name in played:
        line = lines[name]
        total.runs, total.broken = total.runs + line.runs, total.broken + line.broken
        total.counts.update(line.counts)
        total.recoveries_s += line.recoveries_s
    rows = [lines[name].row(name) for name in played]
    return "\n".join([TITLE, "-" * len(TITLE), *rows, "-" * len(TITLE), total.row("all")])


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that `share` of them do not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
