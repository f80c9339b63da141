"""`safelight inspect`: what a file says about itself, and whether it is what this installation delivered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def inspect(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A PNG, WebP, JPEG, MP4 or QuickTime file.", exists=True, dir_okay=False),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read a file's papers and lead it back to its job. Exit code 1 if it has none.

    The papers say which job made it, with which model, prompt, seed and parameters, and whether by AI. Whoever has a
    file can change them: only that its bytes are the job's asset is proof.
    """
    import asyncio

    from safelight.cli.inspection import inspect_file

    raise typer.Exit(asyncio.run(inspect_file(file, as_json=as_json)))
