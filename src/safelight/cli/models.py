"""`safelight models`: what can be asked for, at what price, whether it can run now, and what providers say of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

app = typer.Typer(help="Look at models, one in full, ask providers for them.", rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Kind = Annotated[str | None, typer.Option(help="Only image, video, text or upscale.")]


@app.callback(invoke_without_command=True)
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models, their prices and whether they can run now."""
    if context.invoked_subcommand is None:
        list_models(as_json=as_json)


@app.command("list")
def list_models(kind: Kind = None, as_json: AsJson = False) -> None:
    """List the models in order of preference: price in credits, how long they take, whether they can run now."""
    from safelight.cli.out import out, print_json

    found = [model for model in _models() if kind in (None, model["kind"])]
    if not found:
        raise typer.BadParameter(f"no model is of kind {kind!r}.", param_hint="--kind")
    if as_json:
        print_json({"models": found})
        return
    from safelight.cli.model_tables import models_table

    out().print(models_table(found), crop=False)


@app.command()
def show(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Its id, or an alias.")], as_json: AsJson = False
) -> None:
    """Show one model in full: where it runs, what it takes, what it costs, when it ends."""
    from safelight.cli.out import out, print_json

    found = _one(model, _models())
    if as_json:
        print_json(found)
        return
    from safelight.cli.model_tables import model_details, parameters_table

    out().print(model_details(found))
    if found["parameters"]["properties"]:
        out().print()
        out().print(parameters_table(found["parameters"]["properties"]))


@app.command()
def check(
    every: Annotated[bool, typer.Option("--all", help="Also what providers have that nobody set up here.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask every provider, read-only and free, whether it still serves its models.

    Exit code 1 if a model is gone, ends on another day than the catalog says, or its provider is not fit for use.
    """
    from safelight.cli.out import err, out, print_json

    found = _check()
    if as_json:
        print_json(found)
    else:
        from safelight.cli.model_tables import checks_table

        shown = [each for each in found if every or each["found"] != "not_set_up"]
        if shown:
            out().print(checks_table(shown))
        else:
            err().print("No provider is set up here.")
    raise typer.Exit(0 if all(each["fine"] is not False for each in found) else 1)


def _models() -> list[dict[str, Any]]:
    import asyncio

    from safelight.cli.door import opened

    async def ask() -> list[dict[str, Any]]:
        async with opened() as door:
            found: list[dict[str, Any]] = (await door.client.models())["models"]
            return found

    return asyncio.run(ask())


def _check() -> list[dict[str, Any]]:
    import asyncio

    from safelight.cli.door import opened

    async def ask() -> list[dict[str, Any]]:
        async with opened() as door:
            return await door.client.check_models()

    return asyncio.run(ask())


def _one(name: str, known: list[dict[str, Any]]) -> dict[str, Any]:
    by_name = {each: model for model in known for each in (model["id"], *model["aliases"])}
    if name in by_name:
        return by_name[name]
    from safelight.catalog.parameters import nearest
    from safelight.domain.errors import NotFound, Remedy

    close = nearest(name, by_name)
    remedy = Remedy("List them.", "safelight models")
    if close:
        remedy = Remedy(f"Did you mean {close!r}?", f"safelight models show {close}")
    raise NotFound(f"There is no model {name!r}.", remedy=remedy)
