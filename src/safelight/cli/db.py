"""`safelight db`: the database's schema."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Look at and upgrade the database's schema.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def upgrade() -> None:
    """Bring the schema to this version's. Does nothing when it is there already."""
    from safelight.cli.load import load
    from safelight.store import migrate

    address = load().database_address
    before, after = migrate.current(address), migrate.upgrade(address)
    typer.echo(f"Already at {after}." if before == after else f"Upgraded from {before or 'nothing'} to {after}.")


@app.command()
def current(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say which version the schema has. Exit code 1 if `safelight db upgrade` is needed."""
    from safelight.cli.load import load
    from safelight.cli.out import print_json
    from safelight.store import migrate

    found, head = migrate.current(load().database_address), migrate.head()
    if as_json:
        print_json({"current": found, "head": head, "up_to_date": found == head})
    elif found == head:
        typer.echo(f"{found} (up to date)")
    else:
        typer.echo(f"{found or 'no schema'}; this version needs {head}. Run: safelight db upgrade")
    raise typer.Exit(0 if found == head else 1)
