"""`safelight batch`: hand in many jobs at once, all or none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from safelight.cli import inputs as given
from safelight.cli.submit import WAIT_S, pairs, value


def batch(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A prompt per line, a JSON list of jobs, or a JSON job per line. `-` is standard input.",
        ),
    ],
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", help="Model; several run every prompt side by side.")
    ] = None,
    n: Annotated[int | None, typer.Option("-n", "--n", min=1, help="How often to run each prompt.")] = None,
    inputs: given.Option = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of every job.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", "-l", metavar="NAME=VALUE", help="A label of every job.")
    ] = None,
    wait: Annotated[
        bool | None, typer.Option("--wait/--no-wait", help="Wait for the end. Default: if somebody runs jobs.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait.")] = WAIT_S,
    as_json: Annotated[bool, typer.Option("--json", help="Print the batch as JSON.")] = False,
) -> None:
    """Submit up to 1,000 jobs as one batch, show how far it is, and print the addresses of what it makes."""
    params = {name: value(text) for name, text in pairs(param, "--param")}
    common = {"n": n, "params": params, "labels": dict(pairs(label, "--label"))}
    request, pictures = {"kind": "batch", **_jobs(_text(file), model or []), **common}, given.read(inputs)
    import asyncio

    from safelight.cli.batching import run

    raise typer.Exit(asyncio.run(run(request, pictures, wait=wait, timeout_s=timeout, as_json=as_json)))


def _text(file: str) -> str:
    try:
        return typer.get_text_stream("stdin").read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{file!r} cannot be read: {error.strerror}.", param_hint="FILE") from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file!r} is not valid UTF-8.", param_hint="FILE") from None


def _jobs(text: str, models: list[str]) -> dict[str, Any]:
    """The part of the request that says what to make: prompts, or whole jobs."""
    listed = _listed(text) if text.lstrip().startswith(("[", "{")) else [line.strip() for line in text.splitlines()]
    listed = [each for each in listed if each != ""]
    if not listed:
        raise typer.BadParameter("there is nothing in it.", param_hint="FILE")
    if all(isinstance(each, str) for each in listed):
        return {"prompts": listed, "models": models or None}
    if not all(isinstance(each, dict) for each in listed):
        raise typer.BadParameter("its list must hold either prompts or jobs.", param_hint="FILE")
    if len(models) > 1:
        raise typer.BadParameter("jobs take one model that holds for all; give several with prompts only.")
    return {"items": listed, "model": models[0] if models else None}


def _listed(text: str) -> list[Any]:
    """A list, or an object per line."""
    try:
        if text.lstrip().startswith("{"):
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        found: list[Any] = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"it is not valid JSON: {error}.", param_hint="FILE") from None
    return found
