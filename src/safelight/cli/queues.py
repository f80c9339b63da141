"""`safelight queue`: which queues there are and what waits in them; pause one, let it go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from safelight.services.pause import QueueRow
    from safelight.store.database import Database

app = typer.Typer(help="Look at queues, pause them, let them go on.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="QUEUE", help="The queue's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_queues(as_json: AsJson = False) -> None:
    """List every queue: paused or not and why, and how many jobs are ready, delayed, parked and running."""
    from safelight.cli.direct import opened_database
    from safelight.cli.out import out, print_json
    from safelight.cli.tables import queues_table
    from safelight.services.pause import queue_rows

    with opened_database() as database, database.reading() as tx:
        rows = queue_rows(tx)
    if as_json:
        print_json([_body(row) for row in rows])
    else:
        out().print(queues_table(rows))


@app.command()
def pause(
    queue: Name,
    reason: Annotated[str | None, typer.Option(help="Why, for whoever looks.")] = None,
    as_json: AsJson = False,
) -> None:
    """Claim no more of its waiting jobs. What has an open call goes on: its provider works already."""
    from safelight.cli.direct import opened_database
    from safelight.cli.out import print_json
    from safelight.services import pause as cases

    with opened_database() as database, database.transaction() as tx:
        paused = cases.pause(tx, queue, reason)
        if paused is None:
            raise _no_queue(queue)
    if as_json:
        print_json({"queue": queue, "paused": True, "was_paused": not paused})
    else:
        typer.echo(f"Queue {queue} is paused." if paused else f"Queue {queue} was paused before.")


@app.command()
def resume(
    queue: Annotated[str | None, typer.Argument(metavar="QUEUE", help="The queue's name.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="All queues that are paused.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let jobs be claimed again. Those that never started get the paused time on top of their deadline."""
    from safelight.cli.direct import opened_database
    from safelight.cli.out import print_json
    from safelight.cli.working import counted
    from safelight.services import pause as cases

    if (queue is None) != every:
        raise typer.BadParameter("name one queue, or say --all.")
    shifted = {}
    with opened_database() as database:
        with database.reading() as tx:
            paused = [row.name for row in cases.queue_rows(tx) if row.paused_at is not None]
        for name in paused if queue is None else [queue]:
            shifted[name] = _resume(database, name)
    if as_json:
        print_json(shifted)
        return
    for name, jobs in shifted.items():
        goes_on = f"Queue {name} goes on; {counted(jobs, 'job')} got more time."
        typer.echo(goes_on if name in paused else f"Queue {name} was not paused.")
    if not shifted:
        typer.echo("No queue was paused.")


def _body(row: QueueRow) -> dict[str, Any]:
    from safelight.domain.clock import as_rfc3339

    return {**row._asdict(), "paused_at": None if row.paused_at is None else as_rfc3339(row.paused_at)}


def _resume(database: Database, name: str) -> int:
    """Slice by slice, so that nobody waits for long behind a queue of many jobs."""
    from safelight.services.pause import resume

    moved = 0
    while True:
        with database.transaction() as tx:
            slice_ = resume(tx, name)
        if slice_ is None:
            raise _no_queue(name)
        moved += slice_.moved
        if slice_.goes_on:
            return moved


def _no_queue(name: str) -> Exception:
    from safelight.domain.errors import NotFound, Remedy

    return NotFound(f"There is no queue {name!r}.", remedy=Remedy("Look which there are.", "safelight queue list"))
