"""Where things are printed: results on standard output, everything said around them on standard error."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from rich.console import Console

JOINER = "\u200d"
"""Holds emoji together; not printable, yet harmless."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """The edge decides what a closed pipe means, for all that is printed; rich would exit with 1."""
        raise BrokenPipeError


def out() -> Console:
    """For tables and details. Colours only on a terminal, and not with NO_COLOR."""
    return _Console(highlight=False, markup=False, emoji=False)


def err() -> Console:
    return _Console(stderr=True, highlight=False, markup=False, emoji=False)


def print_json(value: Any) -> None:
    """One JSON document, alone on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_json_line(value: Any) -> None:
    """One document of a stream, on a line of its own, at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def plain(text: str) -> str:
    """Text of others, safe in a terminal: one line, and no control characters that could move or recolour things."""
    return "".join(c if c.isprintable() or c == JOINER else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split()))


def plain_lines(text: str) -> str:
    """The same, with its lines and tabs as they are."""
    lines = re.sub("\r\n|[\u2028\u2029]", "\n", text)
    return "".join(c if c.isprintable() or c in f"{JOINER}\n\t" else "\N{REPLACEMENT CHARACTER}" for c in lines)
