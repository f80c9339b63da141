"""What a store on local disk needs beside obstore: a private folder, and bytes that survive a power cut."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PARTIAL = re.compile(r"[^#]+#\d+")


def make_private(root: Path) -> None:
    """Make the folder, readable by its owner only; one that is there already keeps its mode."""
    if not root.is_dir():
        root.parent.mkdir(parents=True, exist_ok=True)
        root.mkdir(mode=0o700, exist_ok=True)
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        raise PermissionError(f"no permission to read and write {root}")


def flush_to_disk(root: Path, key: str, kept: set[Path]) -> None:
    """fsync the file, then the folders on the way up whose entries may be new. obstore does neither.

    `kept` are folders above those of single jobs that are on disk already, with their names.
    """
    path = root / key
    fsync(path)
    folder = path.parent
    fsync(folder)
    while folder != root and folder not in kept:
        if folder != path.parent:
            kept.add(folder)
        folder = folder.parent
        fsync(folder)


def partial_files(folder: Path, before: float) -> Iterator[tuple[Path, int]]:
    """What writers that were killed have left of files that never got their names, last written before a moment.

    obstore writes to `name#1` and renames: its own listings do not show these.
    """
    for path in folder.rglob("*#*"):
        with suppress(FileNotFoundError):
            found = path.stat()
            if _PARTIAL.fullmatch(path.name) and stat.S_ISREG(found.st_mode) and found.st_mtime < before:
                yield path, found.st_size


def free_bytes(root: Path | None) -> int | None:
    """None where there is no disk, or it cannot be looked at."""
    try:
        return None if root is None else shutil.disk_usage(root).free
    except OSError:
        return None


def fsync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
