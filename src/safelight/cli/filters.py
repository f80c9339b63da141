"""Options that say which jobs are meant, the same for every command that deals with many."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from safelight.cli.durations import read_duration
from safelight.domain.jobs import Status

Statuses = Annotated[list[Status] | None, typer.Option("--status", help="Only jobs in this status; several times.")]
Queue = Annotated[str | None, typer.Option(help="Only jobs of this queue.")]
Model = Annotated[str | None, typer.Option(help="Only jobs for this model.")]
Provider = Annotated[
    str | None, typer.Option(help="Only jobs that are pinned to this provider, wait for it, or have called it.")
]
Kind = Annotated[str | None, typer.Option(help="Only jobs of this kind.")]
ErrorCode = Annotated[str | None, typer.Option("--error", metavar="CODE", help="Only jobs that failed with this code.")]
Labels = Annotated[
    list[str] | None, typer.Option("--label", "-l", metavar="NAME=VALUE", help="Only jobs with this label.")
]
OlderThan = Annotated[
    float | None,
    typer.Option("--older-than", parser=read_duration, metavar="10m", help="Only jobs submitted so long ago."),
]
After = Annotated[str | None, typer.Option("--submitted-after", metavar="TIME", help="Such as 2030-01-31T18:00:00Z.")]
Before = Annotated[str | None, typer.Option("--submitted-before", metavar="TIME", help="The same.")]


def filter_of(
    *, status: list[Status] | None, label: list[str] | None, older_than: float | None, **given: str | None
) -> dict[str, Any]:
    """As the API takes it. Empty where nothing was said."""
    from safelight.cli.submit import pairs

    filled: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if status:
        filled["status"] = [str(each) for each in status]
    if label:
        filled["labels"] = dict(pairs(label, "--label"))
    if older_than is not None:
        filled["older_than_s"] = older_than
    return filled
