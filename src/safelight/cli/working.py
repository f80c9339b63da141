"""Long work, and how much of it: a terminal shows that it goes on; anywhere else only its result is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from safelight.cli.out import err

Show = Callable[[str], None]


@contextmanager
def working(what: str) -> Iterator[Show]:
    """Yields what changes the line on standard error that says how far the work has come."""
    console = err()
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(what) as status:
        yield status.update


def size(count: float) -> str:
    """`512 B`, `1.5 kB`, `3.2 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def counted(count: int, noun: str) -> str:
    """`1 job`, `3 jobs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
