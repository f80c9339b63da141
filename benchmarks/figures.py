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
    """One line of the table. `goal` is the most it may be, `at_least` the least."""

    name: str
    measured: float
    unit: str
    goal: float | None = None
    at_least: float | None = None

    @property
    def met(self) -> bool:
        return (self.goal is None or self.measured <= self.goal) and self.measured >= (self.at_least or 0)

    @property
    def is_loss(self) -> bool:
        """Whether it counts something that must never happen, however slow the machine is."""
        return self.goal == 0

    @property
    def wanted(self) -> str:
        if self.goal is not None:
            return f"≤ {self.shown(self.goal)}"
        return "" if self.at_least is None else f"≥ {self.shown(self.at_least)}"

    def shown(self, value: float) -> str:
        return f"{value:,.0f} {self.unit}" if value >= 100 or value == int(value) else f"{value:,.2f} {self.unit}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of the values lie, by nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def medians(rounds: Sequence[Sequence[Figure]]) -> list[Figure]:
    """The same figures, each the median of its rounds: a shared machine has moments that say nothing about us.

    A loss in any round is a loss.
    """
    return [
        replace(same[0], measured=(max if same[0].is_loss else median)(figure.measured for figure in same))
        for same in zip(*rounds, strict=True)
    ]


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    table = Table(title="Safelight on this machine", title_justify="left")
    for column in ("what", "measured", "goal", ""):
        table.add_column(column, justify="left" if column in ("what", "") else "right")
    for figure in figures:
        table.add_row(figure.name, figure.shown(figure.measured), figure.wanted, "" if figure.met else "missed")
    Console(width=110).print(table)
