"""`--input`: a file here, a URL, or a file of an earlier job, and what it is for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safelight.domain.ids import is_id

if TYPE_CHECKING:
    from safelight.client import Client

ROLES = ("image", "mask", "first_frame", "last_frame")
Given = dict[str, Any]
"""An input as the API takes it; `file` instead of a source until it is uploaded."""
Option = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        metavar="FILE|URL|ASSET[:ROLE]",
        help=f"A picture to start from; roles: {', '.join(ROLES)}. Default: image.",
    ),
]


def read(texts: Sequence[str] | None) -> list[Given]:
    """What was given. A file is looked for now, before anything is asked of anybody."""
    return [_read(text) for text in texts or ()]


async def brought(client: Client, given: Sequence[Given]) -> list[Given]:
    """The same with files uploaded."""
    return [await _brought(client, each) for each in given]


def _read(text: str) -> Given:
    start, colon, role = text.rpartition(":")
    source = start if colon and role in ROLES else text
    named = {"role": role} if source is not text else {}
    if source.lower().startswith(("http://", "https://")):
        return {"url": source, **named}
    if source.lower().startswith("data:"):
        return {"data_uri": source, **named}
    if is_id(source):
        return {"asset": source, **named}
    path = Path(source)
    if not path.is_file():
        raise typer.BadParameter(_why_not(source), param_hint="--input")
    return {"file": path, **named}


def _why_not(source: str) -> str:
    """Colons may stand in names of files: it is taken for a role where there is a file of the name before it."""
    start, colon, role = source.rpartition(":")
    if colon and (Path(start).is_file() or is_id(start)):
        return f"{role!r} is no role; roles: {', '.join(ROLES)}."
    return f"{source!r} is neither a file here, nor an address (https://...), nor the id of an asset."


async def _brought(client: Client, given: Given) -> Given:
    if "file" not in given:
        return given
    uploaded = await client.upload(_bytes(given["file"]))
    return {"upload": uploaded["id"]} | {name: value for name, value in given.items() if name != "file"}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{str(path)!r} cannot be read: {error.strerror}.", param_hint="--input") from None
