"""`safelight providers`: whether each is set up, works, and lets calls through."""

from __future__ import annotations

from typing import Annotated, Any

import typer

app = typer.Typer(
    help="Look at providers, check their keys, open a shut gate.", no_args_is_help=True, rich_markup_mode=None
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_providers(as_json: AsJson = False) -> None:
    """List every provider: set up or not, open or shut and why, limits, what was spent today, the last error."""
    _show(_ask(check=False), as_json=as_json, checked=False)


@app.command()
def check(as_json: AsJson = False) -> None:
    """Ask every provider that is set up whether it is there, takes the key and has money. Read-only and free.

    Exit code 1 if one of them is not fit for use.
    """
    found = _ask(check=True)
    _show(found, as_json=as_json, checked=True)
    raise typer.Exit(1 if any(_is_unfit(each) for each in found) else 0)


@app.command("open")
def open_gate(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="Its name, as the list shows it.")],
    as_json: AsJson = False,
) -> None:
    """Let the next call try at once: after a key or an account was put in order. If it fails the gate shuts again."""
    from safelight.cli.direct import opened_database
    from safelight.cli.out import print_json
    from safelight.domain.errors import NotFound, Remedy
    from safelight.services.gates import open_gates

    with opened_database() as database, database.transaction() as tx:
        opened = open_gates(tx, provider)
    if not opened:
        _refuse_unknown(provider)
        raise NotFound(
            f"No call has passed a gate of provider {provider!r} yet.",
            remedy=Remedy("Look which there are.", "safelight providers list"),
        )
    if as_json:
        print_json({"provider": provider, "gates": len(opened)})
    else:
        typer.echo(f"The next call to {provider} is let through.")


def _refuse_unknown(provider: str) -> None:
    """Raises NotFound where there is none of that name, set up or not."""
    from safelight.catalog.parameters import nearest
    from safelight.domain.errors import NotFound, Remedy

    names = {each["provider"]: None for each in _ask(check=False)}
    if provider not in names:
        close = nearest(provider, names)
        text = f"Did you mean {close!r}?" if close else "Look which there are."
        raise NotFound(f"There is no provider {provider!r}.", remedy=Remedy(text, "safelight providers list"))


def _ask(*, check: bool) -> list[dict[str, Any]]:
    import asyncio

    from safelight.cli.door import opened

    async def ask() -> list[dict[str, Any]]:
        async with opened() as door:
            return await door.client.providers(check=check)

    return asyncio.run(ask())


def _show(found: list[dict[str, Any]], *, as_json: bool, checked: bool) -> None:
    from safelight.cli.out import out, print_json

    if as_json:
        print_json(found)
        return
    from safelight.cli.provider_table import providers_table

    out().print(providers_table(found, checked=checked))


def _is_unfit(found: dict[str, Any]) -> bool:
    """Of one that is set up: it does not answer, or takes no calls for want of a valid key or of money."""
    return found["configured"] and (found["reachable"] is False or found["key"] == "bad" or found["money"] is False)
