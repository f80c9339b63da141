"""The form of a backup, and how it is written: a tar file of rows, of files if wanted, and a manifest at its end.

Rows are JSON lines, compressed; members are written as they come, so a database larger than memory goes through. The
manifest names every member with its SHA-256: an archive that was cut short has none, a changed one does not fit it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import IO, Any

FORMAT, FORMAT_VERSION = "safelight-backup", 1
MANIFEST = "manifest.json"
_LINE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_COMPRESSION = 1
"""Rows shrink to a tenth already at the lowest level, which costs the least time."""


@dataclass
class Manifest:
    """What an archive holds and where it comes from."""

    schema: str
    safelight: str
    created_at: str
    database: str
    rows: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    """The highest number ever given to a row, by table."""
    files: int = 0
    file_bytes: int = 0
    missing_files: int = 0
    """Files that rows name and that were no longer there."""
    members: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each member, in hex."""
    format: str = FORMAT
    version: int = FORMAT_VERSION


class ArchiveWriter:
    """Writes an archive to an open file, member by member. `finish` makes it whole."""

    def __init__(self, target: IO[bytes], manifest: Manifest) -> None:
        self._tar = tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115  # see finish
        self.manifest = manifest

    def add_rows(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """A slice of a table's rows."""
        lines = "".join(_LINE.encode(row) + "\n" for row in rows)
        done = self.manifest.rows.get(table, 0)
        data = gzip.compress(lines.encode(), _COMPRESSION, mtime=0)
        self._add(f"rows/{table}/{done:012}.jsonl.gz", io.BytesIO(data), len(data))
        self.manifest.rows[table] = done + len(rows)

    def add_file(self, key: str, source: IO[bytes], size_bytes: int) -> None:
        """A stored file, under its key."""
        self._add(f"files/{key}", source, size_bytes)
        self.manifest.files += 1
        self.manifest.file_bytes += size_bytes

    def finish(self) -> None:
        """Write the manifest and the end."""
        data = json.dumps(asdict(self.manifest), indent=1).encode()
        self._tar.addfile(_header(MANIFEST, len(data)), io.BytesIO(data))
        self._tar.close()

    def _add(self, name: str, source: IO[bytes], size_bytes: int) -> None:
        hashed = _Hashed(source)
        self._tar.addfile(_header(name, size_bytes), hashed)  # raises OSError if the source ends early
        self.manifest.members[name] = hashed.sha256.hexdigest()


class _Hashed(io.RawIOBase):
    """Passes bytes on and keeps their hash."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self.sha256 = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.sha256.update(data)
        return data


def _header(name: str, size_bytes: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode = size_bytes, 0o600
    return header
