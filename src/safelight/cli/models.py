"""`safelight models`: what can be asked for, at what price, and whether it can run now."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def models(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the models, their prices and whether they can run now."""
    import asyncio

    from safelight.cli.door import opened
    from safelight.cli.out import out, print_json

    async def ask() -> dict[str, Any]:
        async with opened() as door:
            return await door.client.models()

    body = asyncio.run(ask())
    if as_json:
        print_json(body)
        return
    from safelight.cli.tables import models_table

    out().print(models_table(body["models"]))
