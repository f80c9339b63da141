"""A measured figure beside its goal, and the table they make."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `goal` is the most it may be."""

    name: str
    measured: float
    unit: str
    goal: float | None = None

    @property
    def met(self) -> bool:
        return self.goal is None or self.measured <= self.goal

    def shown(self, value: float) -> str:
        return f"{value:,.0f} {self.unit}" if value >= 100 or value == int(value) else f"{value:,.2f} {self.unit}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of the values lie, by nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def medians(rounds: Sequence[Sequence[Figure]]) -> list[Figure]:
    """The same figures, each the median of its rounds: a shared machine has moments that say nothing about us."""
    return [replace(same[0], measured=median(figure.measured for figure in same)) for same in zip(*rounds, strict=True)]


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    table = Table(title="Safelight on this machine", title_justify="left")
    for column in ("what", "measured", "goal", ""):
        table.add_column(column, justify="left" if column in ("what", "") else "right")
    for figure in figures:
        goal = "" if figure.goal is None else f"≤ {figure.shown(figure.goal)}"
        table.add_row(figure.name, figure.shown(figure.measured), goal, "" if figure.met else "missed")
    Console(width=100).print(table)
