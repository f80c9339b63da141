"""`safelight`: the list of commands. Each one's module holds its signature; what is heavy loads when it runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from safelight import __version__
from safelight.cli import credits, db, jobs, keys, maintenance, models, providers, queues, recover, users, workers
from safelight.cli.backup import backup, restore
from safelight.cli.batch import batch
from safelight.cli.doctor import doctor
from safelight.cli.edge import Edge
from safelight.cli.explain import explain
from safelight.cli.inspect import inspect
from safelight.cli.prune import prune
from safelight.cli.serve import serve
from safelight.cli.settings import settings
from safelight.cli.submit import submit
from safelight.cli.verify import verify
from safelight.cli.worker import worker

app = typer.Typer(
    cls=Edge,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: rich takes a third of a second to load
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 fine, 1 found something (a failed job, no such job), 2 misused.",
)
app.command()(serve)
app.command()(worker)
app.command()(submit)
app.command()(batch)
app.add_typer(jobs.app, name="jobs")
app.add_typer(models.app, name="models")
app.add_typer(providers.app, name="providers")
app.add_typer(credits.app, name="credits")
app.add_typer(workers.app, name="workers")
app.add_typer(queues.app, name="queue")
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.add_typer(maintenance.app, name="maintenance")
app.add_typer(db.app, name="db")
app.command()(doctor)
app.command()(verify)
app.command()(explain)
app.command()(backup)
app.command()(restore)
app.add_typer(recover.app, name="recover")
app.command()(prune)
app.command()(inspect)
app.command()(settings)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"safelight {__version__}")
        raise typer.Exit


@app.callback()
def safelight(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
) -> None:
    """A self-hosted server for AI media generation that never leaves anyone in the dark.

    Start with `safelight serve`, then `safelight submit "a lighthouse in a storm"`.
    """


def main() -> None:
    """The entry point. Text that the terminal's encoding lacks is shown escaped instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="safelight")
