"""The figures as docs/performance.md shows them: each part's table stands between `<!-- PART:begin -->` and `:end`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.figures import Figure

REPORT = Path(__file__).resolve().parents[1] / "docs" / "performance.md"


def write(parts: Mapping[str, Sequence[Figure]], report: Path = REPORT) -> None:
    """Replace the tables of the parts that were measured; the others stay. Raises ValueError if one has no place."""
    text = report.read_text(encoding="utf-8")
    for name, figures in parts.items():
        place = re.compile(rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)", re.DOTALL)
        found = place.search(text)
        if found is None:
            raise ValueError(f"{report} has no place for the figures of {name!r}.")
        begin, end = found[1], found[2]
        text = text.replace(found[0], f"{begin}{_table(figures)}{end}")
    report.write_text(text, encoding="utf-8")


def _table(figures: Sequence[Figure]) -> str:
    lines = ["| what | measured | goal |", "|---|---|---|"]
    lines += [f"| {_named(f.name)} | {f.shown(f.measured).strip()} | {f.wanted.strip()} |" for f in figures]
    return "\n".join(lines) + "\n"


def _named(name: str) -> str:
    """What belongs to the line above is indented there too."""
    inner = name.lstrip()
    return inner if inner == name else f"&nbsp;&nbsp;{inner}"
