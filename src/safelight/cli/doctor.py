"""`safelight doctor`: what is wrong with the whole pipeline, why, and what mends it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from safelight.catalog.catalog import Catalog
    from safelight.diagnosis.doctor import Report
    from safelight.diagnosis.facts import Trouble
    from safelight.diagnosis.sources import Sources
    from safelight.settings import Settings


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; with --watch a line per change.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=1, help="With --watch: from one look to the next.")
    ] = 5.0,
    fix: Annotated[bool, typer.Option("--fix", help="Say what may safely be mended, ask, and do it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --fix: do it without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --fix: only say what would be done.")] = False,
    here: Annotated[
        bool,
        typer.Option("--here", help="Look at the database and the providers even if SAFELIGHT_URL names a server."),
    ] = False,
    audit: Annotated[bool, typer.Option("--audit", help="Check every entry of the ledger too.")] = False,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="FILE", help="Write an archive for a bug report, without secrets or prompts."),
    ] = None,
) -> None:
    """Find out what is wrong: settings, database, workers, queues, providers, storage, live updates.

    It reads the database of these settings and asks providers and storage; nothing but a test file is written, and
    removed. It takes up to 5 seconds. The cause comes first, what follows from it below.

    With SAFELIGHT_URL it shows what that server finds: rows, disks and itself, but no provider is asked. What mends,
    audits or makes an archive always works on the database.

    Exit code 0 if nothing is wrong, 1 if something is; with --fix 1 if something is left.
    """
    from safelight.cli import doctoring
    from safelight.telemetry.logs import configure_logging

    if (yes or dry_run) and not fix:
        raise typer.BadParameter("--yes and --dry-run belong to --fix.")
    if sum((watch, fix, bundle is not None)) > 1:
        raise typer.BadParameter("choose one of --watch, --fix and --bundle.")
    configure_logging(level="error")
    asks_server = not (here or fix or audit or bundle is not None) and _named_server() is not None
    examine = doctoring.asked if asks_server else examined
    if watch:
        code = doctoring.watch(examine, every_s=every, as_json=as_json)
    elif fix:
        code = doctoring.fix(examined, agreed=True if yes else False if dry_run else None, as_json=as_json)
    elif bundle is not None:
        code = doctoring.bundle(examined, bundle, as_json=as_json)
    else:
        code = doctoring.look(examine, audited=audit, as_json=as_json)
    raise typer.Exit(code)


def _named_server() -> str | None:
    """By the settings as far as they can be used."""
    from safelight.settings import usable_settings

    return usable_settings(os.environ, cwd=Path.cwd())[0].url


async def examined() -> Report:
    from safelight.diagnosis.doctor import examine

    sources = _sources()
    try:
        return await examine(sources)
    finally:
        for provider in sources.providers.values():
            await provider.close()


def installed() -> tuple[Settings, Catalog]:
    """The settings and the catalog, as far as they can be used."""
    from safelight.settings import usable_settings

    settings, _ = usable_settings(os.environ, cwd=Path.cwd())
    return settings, _catalog(settings)[0]


def _sources() -> Sources:
    """With what can be used of the settings and the catalog: that the rest cannot is a finding."""
    from safelight.adapters import adapters
    from safelight.app import sources
    from safelight.cli.direct import say_where
    from safelight.settings import usable_settings

    settings, problems = usable_settings(os.environ, cwd=Path.cwd())
    say_where(settings)
    catalog, trouble = _catalog(settings)
    return sources(settings, catalog, adapters(settings), problems=problems, catalog_trouble=trouble)


def _catalog(settings: Settings) -> tuple[Catalog, Trouble | None]:
    """The shipped one where the operator's own cannot be used."""
    from safelight.catalog.loading import load_catalog
    from safelight.diagnosis.facts import Trouble
    from safelight.domain.errors import BadCatalog

    try:
        return load_catalog(settings.catalog), None
    except BadCatalog as error:
        return load_catalog(None), Trouble(error.what, error.remedy)
