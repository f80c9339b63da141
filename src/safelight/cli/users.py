"""`safelight users`: which tier users are in, and how many of their jobs may run. Straight on the database."""

from __future__ import annotations

from typing import Annotated, Any

import typer

app = typer.Typer(help="Put users into tiers, cap their jobs.", no_args_is_help=True, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AT_ONCE = 1_000


@app.command("list")
def list_users(
    after: Annotated[str, typer.Option(help="Begin after this name.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=AT_ONCE, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the users of whom something was said; all others are as everybody."""
    from safelight.cli.direct import opened_database
    from safelight.cli.out import err, out, print_json
    from safelight.services.users import users_after

    with opened_database() as database, database.reading() as tx:
        found = users_after(tx, after, limit)
    if as_json:
        print_json([user._asdict() for user in found])
    elif found:
        from safelight.cli.tables import users_table

        out().print(users_table(found))
    else:
        err().print("Nothing was said of any user. Put one into a tier: safelight users set NAME --tier TIER")


@app.command("set")
def set_user(
    user: Annotated[str, typer.Argument(metavar="USER", help="Whom; also one who was never here.")],
    tier: Annotated[str | None, typer.Option(help="The tier, as the catalog file names it.")] = None,
    no_tier: Annotated[bool, typer.Option("--no-tier", help="Take out of any tier.")] = False,
    running_cap: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Jobs that may run in one queue at a time.")
    ] = None,
    no_running_cap: Annotated[bool, typer.Option("--no-running-cap", help="Take back a cap of their own.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say to which tier a user belongs, or how many of their jobs may run. It holds within seconds."""
    from safelight.cli.out import print_json

    changes = _changes(tier, no_tier, running_cap, no_running_cap)
    if tier is not None:
        _refuse_unknown(tier)
    now = _set(user, changes)
    if as_json:
        print_json(now)
        return
    which = f"tier {now['tier']}" if now["tier"] else "no tier of their own"
    cap = f"{now['running_cap']} running at a time" if now["running_cap"] else "no cap of their own"
    typer.echo(f"User {user}: {which}, {cap}.")


def _changes(tier: str | None, no_tier: bool, running_cap: int | None, no_running_cap: bool) -> dict[str, Any]:
    if (tier is not None and no_tier) or (running_cap is not None and no_running_cap):
        raise typer.BadParameter("say one of the two.")
    changes: dict[str, Any] = {}
    if tier is not None or no_tier:
        changes["tier"] = tier
    if running_cap is not None or no_running_cap:
        changes["running_cap"] = running_cap
    if not changes:
        raise typer.BadParameter("say what to set: --tier, --running-cap, --no-tier or --no-running-cap.")
    return changes


def _refuse_unknown(tier: str) -> None:
    from safelight.catalog.loading import load_catalog
    from safelight.cli.load import load

    settings = load()
    known = load_catalog(settings.catalog).tiers
    if tier not in known:
        there_are = f"there are: {', '.join(known)}" if known else "it has none"
        file = settings.catalog or "no catalog file is set (SAFELIGHT_CATALOG), so there are no tiers"
        raise typer.BadParameter(f"{tier!r} is no tier of the catalog; {there_are} ({file}).", param_hint="--tier")


def _set(user: str, changes: dict[str, Any]) -> dict[str, Any]:
    from safelight.cli.direct import opened_database
    from safelight.services.users import set_user as use_case

    with opened_database() as database, database.transaction() as tx:
        return use_case(tx, user, changes)._asdict()
