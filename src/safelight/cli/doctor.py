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


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Find out what is wrong: settings, database, workers, queues, providers, storage, live updates.

    It reads the database of these settings and asks providers and storage; nothing but a test file is written, and
    removed. It takes up to 5 seconds. The cause comes first, what follows from it below.

    Exit code 0 if nothing is wrong, 1 if something is.
    """
    import asyncio

    from safelight.cli.edge import FINE, FOUND
    from safelight.cli.out import out, print_json
    from safelight.cli.working import working
    from safelight.telemetry.logs import configure_logging

    configure_logging(level="error")
    with working("Looking"):
        report = asyncio.run(_examined())
    if as_json:
        print_json(report.body())
    else:
        from safelight.cli.report import report_lines

        for line in report_lines(report):
            out().print(line)
    raise typer.Exit(FINE if report.status == "healthy" else FOUND)


async def _examined() -> Report:
    from safelight.diagnosis.doctor import examine

    sources = _sources()
    try:
        return await examine(sources)
    finally:
        for provider in sources.providers.values():
            await provider.close()


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
