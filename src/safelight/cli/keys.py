"""`safelight keys`: who may call, and what they may do. Straight on the database; servers notice in a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from safelight.domain.access import SCOPES

if TYPE_CHECKING:
    from safelight.domain.access import GivenKey
    from safelight.services.api_keys import ApiKey
    from safelight.store.tx import Tx

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DAY_S = 86_400.0
FEWEST = 4
"""Characters of an id."""
MOMENTS = ("created_at", "expires_at", "revoked_at", "used_at")


@app.command("create")
def create_key(
    user: Annotated[str, typer.Option(help="Whose jobs and credits it opens.")] = "local",
    scope: Annotated[
        list[str] | None,
        typer.Option(help=f"What it may do: {', '.join(SCOPES)}; several times, or joined by +. Default: jobs."),
    ] = None,
    name: Annotated[str, typer.Option(help="What it is for, as you will read it in the list.")] = "",
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Days after which it opens nothing any more.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once. The first key ends local mode: from then on everybody needs one."""
    from safelight.cli.direct import opened_database
    from safelight.cli.out import print_json
    from safelight.domain.access import hashed, new_token, shown
    from safelight.domain.ids import is_user_id, new_id
    from safelight.services.api_keys import NewKey, any_was_made, make_key

    if not is_user_id(user):
        raise typer.BadParameter(f"{user!r} can be no user's name.", param_hint="--user")
    if len(name) > 200 or not name.isprintable():
        raise typer.BadParameter("at most 200 printable characters.", param_hint="--name")
    scopes = _scopes(scope)
    key = new_token()
    lives_s = None if expires_days is None else expires_days * DAY_S
    with opened_database(make=True) as database, database.transaction() as tx:
        first = not any_was_made(tx)
        made = make_key(tx, NewKey(new_id(), hashed(key), user, name, scopes, shown(key), lives_s))
    if as_json:
        print_json({"key": key, **key_body(made, made.created_at)})
        return
    typer.echo(key)
    typer.echo(f"Key {made.id} of user {user}, for {made.written}. It is not shown again: keep it now.", err=True)
    if first:
        typer.echo("Local mode is over: whoever calls needs a key, and the studio asks for one.", err=True)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List every key that was ever made, without the keys themselves."""
    from safelight.cli import when
    from safelight.cli.direct import opened_database
    from safelight.cli.load import load
    from safelight.cli.out import err, out, print_json
    from safelight.cli.tables import keys_table
    from safelight.services.api_keys import all_keys

    with opened_database() as database, database.reading() as tx:
        found = [key_body(key, tx.now) for key in all_keys(tx)]
    found += [_given_body(each) for each in load().given_keys]
    if as_json:
        print_json(found)
    elif found:
        out().print(keys_table(found, when.now()))
    else:
        err().print("There is no key: this is local mode. Make one: safelight keys create --user NAME")


@app.command("revoke")
def revoke_key(
    key: Annotated[str, typer.Argument(metavar="ID", help="Its id, the end of it, or the key itself.")],
    as_json: AsJson = False,
) -> None:
    """Let a key open nothing any more, nor the sessions and tickets it made. Running servers follow in a second."""
    from safelight.cli.direct import opened_database
    from safelight.cli.out import print_json
    from safelight.services.api_keys import revoke_key

    with opened_database() as database, database.transaction() as tx:
        found = _picked(tx, key.strip())
        was_open = revoke_key(tx, found.id)
        body = key_body(found._replace(revoked_at=found.revoked_at or tx.now), tx.now)
    if as_json:
        print_json(body)
    else:
        typer.echo(f"Key {found.id} of user {found.user_id} {'is' if was_open else 'was'} revoked.")


def key_body(key: ApiKey, now: float) -> dict[str, Any]:
    """As JSON shows it."""
    from safelight.domain.clock import as_rfc3339

    trouble = key.trouble(now) or "valid"
    body: dict[str, Any] = {
        "id": key.id,
        "user_id": key.user_id,
        "scopes": key.written.split("+"),
        "name": key.name,
        "shown": key.shown,
        "status": trouble.rpartition(" ")[2],
    }
    for moment in MOMENTS:
        at = getattr(key, moment)
        body[moment] = None if at is None else as_rfc3339(at)
    return body


def _given_body(given: GivenKey) -> dict[str, Any]:
    """A key of the settings: it has no row, so nobody knows when it was used."""
    from safelight.domain.access import written_scopes

    scopes = written_scopes(given.scopes).split("+")
    body = {"id": None, "user_id": given.user_id, "scopes": scopes, "name": "from SAFELIGHT_API_KEYS"}
    return {**body, "shown": "-", "status": "valid", **dict.fromkeys(MOMENTS)}


def _scopes(given: list[str] | None) -> frozenset[str]:
    from safelight.domain.access import read_scopes

    try:
        return read_scopes("+".join(given or ["jobs"]))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--scope") from error


def _picked(tx: Tx, text: str) -> ApiKey:
    """The key that is meant. What is shown in the list is enough, as long as it fits one."""
    from safelight.domain.access import PREFIX, hashed
    from safelight.domain.errors import NotFound, Remedy
    from safelight.services.api_keys import all_keys, key_by_hash

    if text.startswith(PREFIX):
        found, _ = key_by_hash(tx, hashed(text))
        fitting = [found] if found else []
    else:
        fitting = [each for each in all_keys(tx) if len(text) >= FEWEST and each.id.endswith(text.lower())]
    if len(fitting) > 1:
        raise typer.BadParameter(f"{text!r} fits {len(fitting)} keys; give more of the id.")
    if not fitting:
        shown = f"{text[: len(PREFIX)]}…" if text.startswith(PREFIX) else text
        raise NotFound(f"There is no key {shown!r}.", remedy=Remedy("See which there are.", "safelight keys list"))
    return fitting[0]
