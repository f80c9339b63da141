"""`safelight verify`: the checklist of a deployment, before and after it."""

from __future__ import annotations

from typing import Annotated

import typer


def verify(
    before: Annotated[
        bool, typer.Option("--before", help="Before anything runs: workers and live updates are left out.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Go through the checklist of a deployment: packages, settings, database, storage, providers, workers, sockets.

    Run it where the processes run, with their environment. It works with everything down and takes up to 5 seconds.

    Exit code 0 if everything is in order, 1 if something is not.
    """
    from safelight.cli import doctoring
    from safelight.cli.checklist import checked, say
    from safelight.cli.doctor import examined, installed
    from safelight.cli.edge import FINE, FOUND
    from safelight.cli.out import print_json
    from safelight.telemetry.logs import configure_logging

    configure_logging(level="error")
    report = doctoring.looked(examined)
    points = checked(report, *installed(), before=before)
    if as_json:
        print_json({"ok": all(point.ok is not False for point in points), "checks": [point.body() for point in points]})
    else:
        say(points)
    raise typer.Exit(FOUND if any(point.ok is False for point in points) else FINE)
