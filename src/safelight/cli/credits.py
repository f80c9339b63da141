"""`safelight credits`: what users have, what happened to it, and corrections by hand. Straight on the database."""

from __future__ import annotations

from typing import Annotated

import typer

from safelight.ledger.entries import MOST

app = typer.Typer(help="Look at credits, grant them, give them back.", no_args_is_help=True, rich_markup_mode=None)

User = Annotated[str, typer.Argument(metavar="[USER]", show_default=True, help="Whose account.")]
Granted = Annotated[int, typer.Argument(metavar="AMOUNT", max=MOST, help="How many credits.")]
Note = Annotated[str, typer.Option(help="Why: it stands in the ledger.")]
Reference = Annotated[
    str | None, typer.Option(min=1, help="Names the entry. The same one again changes nothing. Default: a new one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def show(user: User = "local", as_json: AsJson = False) -> None:
    """Show what a user has: the balance, what unfinished jobs hold of it, and what can be spent."""
    from safelight.cli.crediting import show_account as run

    run(user, as_json=as_json)


@app.command(context_settings={"ignore_unknown_options": True})  # `-50` is an amount, and gets a better answer
def grant(
    user: Annotated[str, typer.Argument(metavar="USER", help="Whose account; it is opened if there is none.")],
    amount: Granted,
    note: Note = "",
    reference: Reference = None,
    as_json: AsJson = False,
) -> None:
    """Give credits to a user."""
    from safelight.cli.crediting import grant_credits as run

    if amount < 1:
        raise typer.BadParameter("at least 1. `safelight credits adjust` takes credits away.", param_hint="AMOUNT")
    run(user, amount, note, reference, as_json=as_json)


@app.command()
def refund(
    job_id: Annotated[str, typer.Argument(metavar="JOB", help="The job's id, or the end or beginning of it.")],
    amount: Annotated[
        int | None, typer.Option(min=1, max=MOST, help="How many credits. Default: all that were not refunded yet.")
    ] = None,
    note: Note = "",
    reference: Reference = None,
    as_json: AsJson = False,
) -> None:
    """Give back what a job has paid, or a part of it."""
    from safelight.cli.crediting import refund_job as run

    run(job_id, amount, note, reference, as_json=as_json)


@app.command(context_settings={"ignore_unknown_options": True})  # `-50` is an amount
def adjust(
    user: Annotated[str, typer.Argument(metavar="USER", help="Whose account; it is opened if there is none.")],
    amount: Annotated[
        int, typer.Argument(metavar="AMOUNT", min=-MOST, max=MOST, help="Credits to add, or to take away: -50.")
    ],
    note: Annotated[str, typer.Option(min=1, help="Why: it stands in the ledger.")],
    reference: Reference = None,
    as_json: AsJson = False,
) -> None:
    """Correct a user's credits by hand, up or down, but never below what unfinished jobs hold."""
    from safelight.cli.crediting import adjust_credits as run

    if amount == 0:
        raise typer.BadParameter("0 changes nothing.", param_hint="AMOUNT")
    run(user, amount, note, reference, as_json=as_json)


@app.command()
def ledger(
    user: User = "local",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    before: Annotated[int | None, typer.Option(min=1, metavar="NUMBER", help="Only entries before this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the entries of a user's account, newest first."""
    from safelight.cli.crediting import list_entries as run

    run(user, limit=limit, before=before, as_json=as_json)


@app.command()
def audit(as_json: AsJson = False) -> None:
    """Check that accounts, ledger and jobs tell the same story. Prints nothing when all is well, else exit code 1."""
    from safelight.cli.auditing import audit as run

    raise typer.Exit(run(as_json=as_json))
