"""`safelight serve`: the API, the studio and, unless told otherwise, a worker, in one process."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: the setting, 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port. Default: the setting, 8000.")] = None,
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Also run jobs in this process.")] = True,
    with_sample: Annotated[
        bool, typer.Option("--with-sample", help="Submit one sample job when there is none yet.")
    ] = False,
) -> None:
    """Start the server: API, studio and a worker."""
    from safelight.api.server import serve as run_server
    from safelight.cli.greeting import greet
    from safelight.cli.load import load

    settings = load({"host": host, "port": port})
    on_ready = partial(greet, with_sample=with_sample)
    raise typer.Exit(run_server(settings, with_worker=worker, on_ready=on_ready))
