"""`safelight prune`: remove what ended long ago, or files that belong to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from safelight.cli.durations import read_duration

if TYPE_CHECKING:
    from safelight.maintenance.orphans import Orphans
    from safelight.maintenance.pruned import Pruned


class Kind(StrEnum):
    """Of jobs that a worker runs."""

    TEXT = "text"
    IMAGE = "image"
    UPSCALE = "upscale"
    VIDEO = "video"


def prune(
    older_than: Annotated[
        float | None,
        typer.Option(
            parser=read_duration,
            metavar="30d",
            help="Jobs that ended longer ago than this. Default: SAFELIGHT_KEEP_JOBS_DAYS, and the same by kind.",
        ),
    ] = None,
    kind: Annotated[
        Kind | None, typer.Option("--kind", help="Only jobs of this kind; batches go when all of their items have.")
    ] = None,
    orphans: Annotated[
        bool, typer.Option("--orphans", help="Instead of jobs, delete old files that no job names.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Remove ended jobs with their files, and keep the ledger. Exit code 1 if some files could not be deleted."""
    import asyncio

    if orphans and older_than is not None:
        raise typer.BadParameter("files without a job have no end to count from.", param_hint="--older-than")
    if orphans and kind is not None:
        raise typer.BadParameter("files without a job have no kind.", param_hint="--kind")
    run = _orphans(dry_run, as_json) if orphans else _jobs(older_than, kind, dry_run, as_json)
    raise typer.Exit(asyncio.run(run))


async def _jobs(older_than_s: float | None, kind: Kind | None, dry_run: bool, as_json: bool) -> int:
    from safelight.cli.direct import existing_database, started
    from safelight.cli.edge import FINE, FOUND
    from safelight.cli.working import working
    from safelight.domain.errors import BadSettings, Remedy
    from safelight.maintenance.expired_uploads import ExpiredUploads
    from safelight.maintenance.pruner import Pruner
    from safelight.storage.assets import AssetStore

    settings = existing_database()
    keep_s = settings.keep_s if older_than_s is None else dict.fromkeys(settings.keep_s, older_than_s)
    if kind is not None:
        keep_s = {kind: keep_s[kind]}
    if all(kept_s is None for kept_s in keep_s.values()):
        raise BadSettings(
            "Nothing says how long jobs are kept: SAFELIGHT_KEEP_JOBS_DAYS is not set.",
            remedy=Remedy("Say it here, or set it.", "safelight prune --older-than 30d --dry-run"),
        )
    async with started(settings) as database:
        with working("Looking for old jobs") as show:
            store = AssetStore(settings.storage_address)
            pruner = Pruner(database, store, keep_s, progress=lambda done: show(f"{done.jobs.total()} jobs"))
            done = await (pruner.plan() if dry_run else pruner.run_once())
            if not dry_run:
                await ExpiredUploads(database, store).run_once()
    _say_jobs(done, keep_s, dry_run, as_json)
    return FOUND if done.failed else FINE


async def _orphans(dry_run: bool, as_json: bool) -> int:
    from safelight.cli.direct import existing_database, started
    from safelight.cli.working import working
    from safelight.maintenance.orphans import collect_orphans
    from safelight.storage.assets import AssetStore

    settings = existing_database()
    async with started(settings) as database:
        with working("Looking through the storage") as show:
            done = await collect_orphans(
                database,
                AssetStore(settings.storage_address),
                settings.longest_job_s,
                dry_run=dry_run,
                progress=lambda done: show(f"{done.seen} files seen, {done.files} of nobody"),
            )
    _say_orphans(done, dry_run, as_json)
    return 0


def _say_jobs(done: Pruned, keep_s: Mapping[str, float | None], dry_run: bool, as_json: bool) -> None:
    from safelight.cli.out import err, out, plain, print_json
    from safelight.cli.tables import pruned_table
    from safelight.cli.working import counted

    if as_json:
        print_json({"dry_run": dry_run, "keep_s": dict(keep_s), **done.as_dict()})
        return
    if done.jobs:
        out().print(pruned_table(done))
    if dry_run:
        out().print(f"Kept: {_kept_in_words(keep_s)}.", style="dim", soft_wrap=True)
    went = f"{counted(done.jobs.total(), 'job')} and {counted(done.keys, 'idempotency key')}"
    out().print(f"{went} {'would be ' if dry_run else ''}removed.", soft_wrap=True)
    if done.failed:
        err().print(plain(f"Stays for now: {counted(done.failed, 'job')}. {done.failure}"), soft_wrap=True)


def _kept_in_words(keep_s: Mapping[str, float | None]) -> str:
    """`image 30 days, video 7 days, others for ever`."""
    kept = {kind: kept_s / 86_400 for kind, kept_s in keep_s.items() if kept_s is not None}
    words = [f"{kind} {days:g} {'day' if days == 1 else 'days'}" for kind, days in kept.items()]
    return ", ".join(words if len(kept) == len(Kind) else [*words, "others for ever"])


def _say_orphans(done: Orphans, dry_run: bool, as_json: bool) -> None:
    from dataclasses import asdict

    from safelight.cli.out import out, print_json
    from safelight.cli.working import counted, size

    if as_json:
        print_json({"dry_run": dry_run, **asdict(done)})
        return
    went = f"{done.files} of {counted(done.seen, 'file')} ({size(done.bytes)})"
    out().print(f"{went} {'would be ' if dry_run else ''}deleted.", soft_wrap=True)
