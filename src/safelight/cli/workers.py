"""`safelight workers`: every process of the installation, and which releases may run jobs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

app = typer.Typer(help="Look at processes; say which may run jobs.", no_args_is_help=True, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_workers(as_json: AsJson = False) -> None:
    """List every process: what it serves, how busy it is, its version. Exit code 1 if none runs jobs."""
    import asyncio

    from safelight.cli.door import opened
    from safelight.cli.out import err, out, print_json

    async def ask() -> list[dict[str, Any]]:
        async with opened() as door:
            return await door.client.workers()

    found = asyncio.run(ask())
    if as_json:
        print_json(found)
    elif found:
        from safelight.cli import when
        from safelight.cli.tables import workers_table

        out().print(workers_table(found, when.now()))
    else:
        err().print("No process is there. Start one: safelight serve")
    raise typer.Exit(0 if any(worker["status"] == "online" and worker["slots"] for worker in found) else 1)


@app.command()
def require(
    version: Annotated[str, typer.Argument(help="The oldest that may run jobs, such as 1.4.0; 0 allows all.")],
    as_json: AsJson = False,
) -> None:
    """Make workers older than VERSION finish what they run, hand back the rest, and end. None older can start."""
    from safelight import __version__
    from safelight.cli.load import load
    from safelight.cli.out import print_json
    from safelight.domain.versions import is_older, is_version

    if not is_version(version):
        raise typer.BadParameter(f"{version!r} is not a version like 1.4.0.", param_hint="VERSION")
    if is_older(__version__, version):
        raise typer.BadParameter(
            f"this is {__version__}: upgrade it first, or nobody could work.", param_hint="VERSION"
        )
    older = _require(load().database_address, version)
    if as_json:
        print_json({"min_worker_version": version, "older": older})
    else:
        typer.echo(f"Workers must be of version {version} or later. {len(older) or 'No'} older one(s) will end.")


def _require(address: str, version: str) -> list[str]:
    """Set it; the ids of processes that have slots and are older."""
    from safelight.domain.versions import is_older
    from safelight.services.presence import processes
    from safelight.services.required_version import require_version
    from safelight.store import migrate
    from safelight.store.connect import open_database

    migrate.ensure(address, upgrade=False)
    database = open_database(address)
    try:
        with database.transaction() as tx:
            require_version(tx, version)
            found = processes(tx)
    finally:
        database.close()
    return [p.id for p in found if p.slots and p.lost_at is None and is_older(p.version, version)]
