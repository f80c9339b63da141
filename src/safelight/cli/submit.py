"""`safelight submit`: hand in a job, watch it, and get what it makes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from safelight.cli import inputs as given

WAIT_S = 3600.0


def submit(
    prompt: Annotated[
        str | None, typer.Argument(help="What to make. `-` reads it from standard input. Upscaling needs none.")
    ] = None,
    kind: Annotated[str, typer.Option(help="Kind of job.")] = "image",
    model: Annotated[str | None, typer.Option("--model", "-m", help="Model. Default: the kind's own.")] = None,
    size: Annotated[str | None, typer.Option(help="Width and height, like 512x512.")] = None,
    width: Annotated[int | None, typer.Option(help="Width in pixels.")] = None,
    height: Annotated[int | None, typer.Option(help="Height in pixels.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same prompt and seed give the same picture.")] = None,
    n: Annotated[int | None, typer.Option("-n", "--n", help="How many to make.")] = None,
    file_format: Annotated[str | None, typer.Option("--format", help="File format, like png or webp.")] = None,
    inputs: given.Option = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="Any parameter of the model.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", "-l", metavar="NAME=VALUE", help="A label to find the job by.")
    ] = None,
    wait: Annotated[
        bool | None, typer.Option("--wait/--no-wait", help="Wait for the end. Default: if somebody runs jobs.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait.")] = WAIT_S,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would cost and take; make nothing.")] = False,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="PATH", help="Save to this file, or into this folder/.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the job as JSON.")] = False,
) -> None:
    """Submit a job, show its progress, and print the address of the picture."""
    if wait is False and output is not None:
        raise typer.BadParameter("there is nothing to save yet with --no-wait.", param_hint="--output")
    named = {"seed": seed, "n": n, "format": file_format} | _dimensions(size, width, height)
    params = {name: value for name, value in named.items() if value is not None}
    request = {
        "kind": kind,
        "prompt": None if prompt is None else _prompt(prompt),
        "model": model,
        "params": params | {name: value(text) for name, text in pairs(param, "--param")},
        "labels": dict(pairs(label, "--label")),
    }
    import asyncio

    if dry_run:
        from safelight.cli.rehearsal import rehearse

        raise typer.Exit(asyncio.run(rehearse(request, given.read(inputs), as_json=as_json)))
    path, pictures = None if output is None else _place(output), given.read(inputs)

    from safelight.cli.submission import run

    raise typer.Exit(asyncio.run(run(request, pictures, wait=wait, timeout_s=timeout, output=path, as_json=as_json)))


def _place(output: str) -> Path:
    """Where to save, found out before anything is paid. A folder that ends in `/` is made."""
    path = Path(output)
    if output.endswith("/"):
        path.mkdir(parents=True, exist_ok=True)
    if not path.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {str(path.parent)!r}; make it first.", param_hint="--output")
    return path


def _prompt(text: str) -> str:
    text = typer.get_text_stream("stdin").read().strip() if text == "-" else text
    try:
        text.encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("it is not valid UTF-8.", param_hint="PROMPT") from None
    return text


def _dimensions(size: str | None, width: int | None, height: int | None) -> dict[str, int | None]:
    if size is None:
        return {"width": width, "height": height}
    if width is not None or height is not None:
        raise typer.BadParameter("give either --size or --width and --height.", param_hint="--size")
    match = re.fullmatch(r"(\d{1,5})\s*[xX×*]\s*(\d{1,5})", size)  # noqa: RUF001 (people paste the real sign)
    if match is None:
        raise typer.BadParameter(f"{size!r} is not a size; write it like 512x512.", param_hint="--size")
    return {"width": int(match[1]), "height": int(match[2])}


def pairs(texts: list[str] | None, option: str) -> list[tuple[str, str]]:
    """`NAME=VALUE`, taken apart."""
    found = [text.partition("=") for text in texts or []]
    for name, equals, rest in found:
        if not name or not equals:
            raise typer.BadParameter(f"{name + equals + rest!r} is not NAME=VALUE.", param_hint=option)
    return [(name, rest) for name, _, rest in found]


def value(text: str) -> Any:
    """Numbers, true, false and null as JSON has them, everything else as text."""
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text
