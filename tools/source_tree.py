"""The files of this repository that people write: what git tracks, or would track, as text."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_WRITTEN_HERE = frozenset({"__pycache__", "build", "dist", "node_modules", "safelight-data"})


def text_files(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Path below `root` and content of every file that git does not ignore. Files that are not UTF-8 are left out."""
    for name in sorted(_names(root)):
        try:
            yield name, (root / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue


def _names(root: Path) -> Iterable[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=root, capture_output=True, check=False, text=True)
    if listing.returncode != 0:  # a downloaded archive, or a clone that belongs to someone else
        return _walked(root)
    return filter(None, listing.stdout.split("\0"))


def _walked(root: Path) -> Iterator[str]:
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if name == ".ci" or not (name.startswith(".") or name in NOT_WRITTEN_HERE)]
        yield from (Path(folder, name).relative_to(root).as_posix() for name in names)
