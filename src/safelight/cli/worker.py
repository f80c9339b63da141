"""`safelight worker`: one more process that runs jobs, on this machine or another that shares the database."""

from __future__ import annotations

from typing import Annotated

import typer


def worker(
    queue: Annotated[
        str | None, typer.Option(help="Serve only these queues, separated by commas: image,video.", show_default=False)
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Jobs to run at the same time.", show_default=False)
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Serve metrics at this port; 0 takes a free one.", show_default=False),
    ] = None,
) -> None:
    """Run jobs in a process of its own."""
    from safelight.app import run_worker
    from safelight.cli.load import load

    queues = _names(queue) if queue is not None else None
    raise typer.Exit(run_worker(load(), queues=queues, concurrency=concurrency, metrics_port=metrics_port))


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise typer.BadParameter("name at least one queue, like image or image,video.", param_hint="--queue")
    return names
