"""`safelight settings`: what is in force, and where each value came from."""

from __future__ import annotations

from typing import Annotated

import typer


def settings(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show every setting in force and where its value came from. Secrets are masked."""
    from safelight.cli.load import load
    from safelight.cli.out import out, print_json
    from safelight.settings import describe

    rows = describe(load())
    if as_json:
        print_json([{"name": row.name, "value": row.value, "source": row.source, "help": row.help} for row in rows])
        return
    from safelight.cli.tables import settings_table

    out().print(settings_table(rows))
