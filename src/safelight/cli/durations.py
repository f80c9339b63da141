"""Spans of time as operators write them: `30d`, `12h`, `90m`, `45s`."""

from __future__ import annotations

import re

import typer

SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
LONGEST_S = 36_500 * SECONDS["d"]
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([dhms])")


def read_duration(text: str) -> float:
    """Seconds. Raises typer.BadParameter."""
    match = _SPAN.fullmatch(text.strip().lower())
    if match is None or float(match[1]) * SECONDS[match[2]] > LONGEST_S:
        raise typer.BadParameter(f"{text!r} is no span of time. Write 30d, 12h, 90m or 45s.")
    return float(match[1]) * SECONDS[match[2]]
