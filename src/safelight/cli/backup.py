"""`safelight backup` and `safelight restore`: the whole installation in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from safelight.maintenance.archive import Manifest
    from safelight.maintenance.restore import Restored
    from safelight.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SECRET = "It holds the secret that signs addresses: keep it as safe as the database."  # noqa: S105  # says so, is none


def backup(
    file: Annotated[Path, typer.Argument(help="The backup to write.")],
    assets: Annotated[
        bool, typer.Option("--assets", help="Take the pictures along, where they are kept on local disk.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Back up the database into one file, while everything runs. Jobs, credits and events are those of one moment."""
    from dataclasses import asdict

    from safelight.cli.direct import existing_database
    from safelight.cli.out import out, print_json
    from safelight.cli.working import counted, size, working
    from safelight.maintenance.backup import back_up

    settings = existing_database()
    with working("Backing up") as show:
        made = back_up(
            settings.database_address,
            file,
            files_in=_files_of(settings) if assets else None,
            overwrite=force,
            progress=lambda made: show(_told(made)),
        )
    if as_json:
        shown = {name: value for name, value in asdict(made).items() if name != "members"}
        print_json({**shown, "file": str(file), "bytes": file.stat().st_size})
        return
    out().print(f"{file}: {_told(made)}, {size(file.stat().st_size)}. {SECRET}", soft_wrap=True)
    if made.missing_files:
        missing = counted(made.missing_files, "file")
        out().print(f"Named by rows, but not there: {missing}.", style="yellow", soft_wrap=True)


def restore(
    file: Annotated[Path, typer.Argument(help="The backup to read.")],
    replace: Annotated[bool, typer.Option("--replace", help="Remove everything that the database holds now.")] = False,
    recover: Annotated[
        bool,
        typer.Option(
            "--recover/--no-recover", help="Make it safe to go on. Leave that out only if nothing ran since the backup."
        ),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into an empty database of either kind. It is checked whole before anything is written."""
    from dataclasses import asdict
    from functools import partial

    from safelight.cli.load import load
    from safelight.cli.out import print_json
    from safelight.cli.working import working
    from safelight.maintenance.restore import restore as run
    from safelight.storage.assets import AssetStore
    from safelight.telemetry.logs import configure_logging
    from safelight.worker.servers import is_live

    configure_logging(level="warning")
    settings = load()
    with working("Restoring") as show:
        done = run(
            settings.database_address,
            file,
            AssetStore(settings.storage_address),
            is_live=partial(is_live, lease_s=settings.lease_seconds),
            replace=replace,
            recover=recover,
            progress=show,
        )
    if as_json:
        recovered = asdict(done.recovered) if done.recovered else None
        made = done.manifest
        print_json({"created_at": made.created_at, "rows": made.rows, "files": made.files, "recovered": recovered})
        return
    _say_restored(done)


def _say_restored(done: Restored) -> None:
    from safelight.cli.out import out
    from safelight.cli.recover import NEXT, say_recovered

    console = out()
    console.print(f"Restored the state of {done.manifest.created_at}: {_told(done.manifest)}.", soft_wrap=True)
    if done.recovered is None:
        again = "if anything ran since the backup, run `safelight recover --after-restore`."
        console.print(f"Nothing was paused: {again}", soft_wrap=True)
        return
    say_recovered(done.recovered)
    console.print(NEXT, soft_wrap=True)


def _told(made: Manifest) -> str:
    from safelight.cli.working import counted

    files = f", {counted(made.files, 'file')}" if made.files else ""
    return f"{counted(made.rows.get('jobs', 0), 'job')}, {counted(sum(made.rows.values()), 'row')}{files}"


def _files_of(settings: Settings) -> Path:
    from safelight.domain.errors import BadSettings, Remedy
    from safelight.storage.assets import AssetStore

    root = AssetStore(settings.storage_address).root
    if root is None:
        raise BadSettings(
            "The pictures are in an object store, which a backup does not copy.",
            remedy=Remedy("Back up without --assets, and keep the bucket by its own means: versions or replication."),
        )
    return root
