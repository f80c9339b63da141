"""`safelight maintenance`: take no new jobs for a while, and say why; what was accepted is finished."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    help="Take no new jobs for a while; those that were accepted go on.", no_args_is_help=True, rich_markup_mode=None
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("on")
def begin(
    message: Annotated[str | None, typer.Option(help="What callers are told.")] = None, as_json: AsJson = False
) -> None:
    """Refuse new jobs with a message, within a second in every process. Running and waiting jobs go on."""
    from safelight.cli.direct import opened_database
    from safelight.services import closing_time

    text = (message or closing_time.DEFAULT).strip()
    if not text or len(text) > closing_time.LONGEST_MESSAGE:
        raise typer.BadParameter(f"a message has 1 to {closing_time.LONGEST_MESSAGE} characters.")
    with opened_database() as database, database.transaction() as tx:
        closing_time.begin(tx, text)
    show(as_json)


@app.command("off")
def end(as_json: AsJson = False) -> None:
    """Take new jobs again."""
    from safelight.cli.direct import opened_database
    from safelight.services import closing_time

    with opened_database() as database, database.transaction() as tx:
        closing_time.end(tx)
    show(as_json)


@app.command("show")
def show(as_json: AsJson = False) -> None:
    """Say whether new jobs are taken, and how many are still to be finished."""
    from safelight.cli.direct import opened_database
    from safelight.cli.out import print_json
    from safelight.cli.when import local
    from safelight.cli.working import counted
    from safelight.domain.clock import as_rfc3339
    from safelight.services import closing_time
    from safelight.services.pause import queue_rows

    with opened_database() as database, database.reading() as tx:
        found, rows = closing_time.notice(tx), queue_rows(tx)
    running = sum(row.running for row in rows)
    waiting = sum(row.ready + row.delayed + row.parked for row in rows)
    if as_json:
        told = {"message": found.message, "since": as_rfc3339(found.since)} if found else {}
        print_json({"on": found is not None, **told, "running": running, "waiting": waiting})
    elif found is None:
        typer.echo("New jobs are taken.")
    else:
        typer.echo(f"No new jobs are taken since {local(as_rfc3339(found.since))}: {found.message}")
        typer.echo(f"Still to be finished: {counted(running, 'running job')}, {counted(waiting, 'waiting job')}.")
