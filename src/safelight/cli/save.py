"""Save a job's assets, or its text: to one file, to numbered files, or into a folder.

A file appears only when it is whole.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from safelight.client import Client
from safelight.storage.keys import EXTENSIONS


async def save(client: Client, job: dict[str, Any], output: Path) -> list[tuple[Path, int]]:
    """The files written, with their sizes. Existing ones are replaced."""
    if job.get("text"):
        return [_written(job, output)]
    paths = destinations(job, output)
    return [(path, await _fetch(client, asset["url"], path)) for path, asset in zip(paths, job["assets"], strict=True)]


def destinations(job: dict[str, Any], output: Path) -> list[Path]:
    """`cat.png` for one asset, `cat-1.png`, `cat-2.png` for more; in a folder the files carry the job's id."""
    assets = job["assets"]
    if output.is_dir():
        output = output / f"{job['id']}.{EXTENSIONS.get(assets[0]['mime'], 'bin')}" if assets else output
    if len(assets) == 1:
        return [output]
    return [output.with_stem(f"{output.stem}-{number}") for number in range(1, len(assets) + 1)]


def _written(job: dict[str, Any], output: Path) -> tuple[Path, int]:
    path = output / f"{job['id']}.txt" if output.is_dir() else output
    with _appearing(path) as file:
        return path, file.write(job["text"].encode())


async def _fetch(client: Client, url: str, path: Path) -> int:
    with _appearing(path) as file:
        return await client.download(url, file)


@contextmanager
def _appearing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name only when everything went well; otherwise an older one stays as it was."""
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(part, 0o666 & ~_umask())
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
