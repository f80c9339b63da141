"""What `safelight recover plan`, `list`, `show` and `stop` do."""

from __future__ import annotations

import getpass
from typing import Any

import typer

from safelight.cli import many, when
from safelight.cli.door import opened
from safelight.cli.edge import FINE, FOUND
from safelight.cli.many import in_words, left_alone, say_found
from safelight.cli.out import err, out, plain, print_json
from safelight.cli.tables import members_table, recoveries_table
from safelight.cli.working import counted
from safelight.client import Client, ClientError
from safelight.domain.ids import is_id

NEWEST = 200
SOON_S = 10.0
"""What takes effect sooner can hardly be stopped: it is asked for in another way."""
SHOWN = 20


async def plan_recovery(
    action: str, meant: dict[str, Any], message: str, after_s: float, *, dry_run: bool, yes: bool, as_json: bool
) -> int:
    async with opened() as door:
        found = await door.client.plan_recovery(action, meant, dry_run=True)
        if not as_json:
            say_found(found)
        if dry_run or not found["jobs"] or not _agreed(action, found["jobs"], after_s, yes=yes, as_json=as_json):
            if as_json:
                print_json({"planned": False, **found})
            elif not dry_run:
                err().print("Nothing was planned." + (" Add --yes to do it." if found["jobs"] else ""))
            return FINE if dry_run and found["jobs"] else FOUND
        made = await door.client.plan_recovery(action, meant, message=message, after_s=after_s, by=_who())
    if as_json:
        print_json({"planned": True, **made})
    else:
        _say_planned(made, after_s)
    return FINE


async def list_recoveries(limit: int, *, as_json: bool) -> None:
    async with opened() as door:
        found = await door.client.recoveries(limit=limit)
    if as_json:
        print_json({"recoveries": found})
    elif found:
        out().print(recoveries_table(found, when.now()))
    else:
        err().print("No recovery was ever planned.")


async def show_recovery(text: str, *, as_json: bool) -> None:
    async with opened() as door:
        found = await door.client.recovery(await _pick(door.client, text))
    if as_json:
        print_json(found)
        return
    console = out()
    for line in _lines(found):
        console.print(line, soft_wrap=True)
    console.print(members_table(found["members"][:SHOWN]))
    if found["jobs"] > SHOWN:
        console.print(f"... and {found['jobs'] - SHOWN} more (--json).")


async def stop_recovery(text: str, *, as_json: bool) -> None:
    async with opened() as door:
        stopped = await door.client.stop_recovery(await _pick(door.client, text))
    if as_json:
        print_json(stopped)
    else:
        print(f"Recovery {stopped['id']} is stopped: no job was touched.")


def _agreed(action: str, jobs: int, after_s: float, *, yes: bool, as_json: bool) -> bool:
    """What cannot be stopped takes the number of jobs, typed."""
    if yes:
        return True
    if as_json or not many.somebody_is_there():
        return False
    if after_s >= SOON_S:
        return bool(typer.confirm(f"{action.capitalize()} {counted(jobs, 'job')} in {when.span(after_s)}?"))
    asked = f"This cannot be stopped. To {action} them now, type how many jobs that are"
    return bool(typer.prompt(asked, default="", show_default=False).strip() == str(jobs))


def _say_planned(made: dict[str, Any], after_s: float) -> None:
    """The id alone on standard output, so that it can be piped on."""
    console = err()
    at = f"in {when.span(after_s)}, at {when.clock(made['effective_at'])[:8]}" if after_s else "at once"
    console.print(f"It takes effect {at}, in any process of the installation that runs.", soft_wrap=True)
    if after_s:
        console.print(f"Stop it before: safelight recover stop {made['id']}", soft_wrap=True)
    print(made["id"])


def _lines(found: dict[str, Any]) -> list[str]:
    meant = ", ".join(f"{name} {_written(value)}" for name, value in found["filter"].items())
    lines = [
        f"{found['action']} of {counted(found['jobs'], 'job')} of {counted(found['users'], 'user')},"
        f" {counted(found['credits'], 'credit')}: {found['state']}",
        f"Jobs: {plain(meant)}",
        f"Planned by {plain(found['requested_by'])} at {when.local(found['requested_at'])},"
        f" for {when.local(found['effective_at'])}",
    ]
    if found["message"]:
        lines.append(f"Users are told: {plain(found['message'])}")
    if found["stopped_by"]:
        lines.append(f"Stopped by {plain(found['stopped_by'])} at {when.local(found['ended_at'])}")
    elif found["outcomes"]:
        lines.append(f"What became of them: {in_words(found['outcomes'])}")
    return lines + [left_alone(left) for left in found["untouched"]]


def _written(value: Any) -> str:
    match value:
        case list():
            return "|".join(map(str, value))
        case dict():
            return ",".join(f"{key}={text}" for key, text in value.items())
        case _:
            return str(value)


def _who() -> str:
    try:
        return getpass.getuser()[:100]
    except (KeyError, OSError):
        return ""


async def _pick(client: Client, text: str) -> str:
    """The whole id; a short one is looked for among the newest."""
    wanted = text.strip().lower()
    if is_id(wanted):
        return wanted
    ids = [each["id"] for each in await client.recoveries(limit=NEWEST)]
    fitting = [each for each in ids if wanted and (each.startswith(wanted) or each.endswith(wanted))]
    if len(fitting) == 1:
        return str(fitting[0])
    if fitting:
        raise typer.BadParameter(f"{text!r} fits {len(fitting)} recoveries; give more of it.")
    raise ClientError(
        f"None of the newest {NEWEST} recoveries has an id like {text!r}.",
        code="not_found",
        remedy="List them with `safelight recover list`.",
    )
