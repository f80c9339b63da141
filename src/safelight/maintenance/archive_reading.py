"""Read a backup, after every byte of it was found to be what its manifest says."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from safelight.domain.errors import BadBackup, Remedy
from safelight.maintenance.archive import FORMAT, FORMAT_VERSION, MANIFEST, Manifest

READ_BYTES = 1024 * 1024


class StoredFile(NamedTuple):
    """A file of the store as it lies in the archive."""

    key: str
    source: IO[bytes]
    size_bytes: int
    sha256: str


class Archive:
    """An archive that is whole. Opening one that is not raises BadBackup."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.manifest = _verified(path)
        except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as error:
            raise _unusable(path, f"it is damaged or was cut short ({error})") from error

    def rows(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Every table's rows, slice by slice, as they were written: the table's name with each."""
        for name, _, source in self._members("rows/"):
            yield name.partition("/")[0], [json.loads(line) for line in gzip.decompress(source.read()).splitlines()]

    def files(self) -> Iterator[StoredFile]:
        """The stored files; each can be read until the next one is asked for."""
        for name, size, source in self._members("files/"):
            yield StoredFile(name, source, size, self.manifest.members[f"files/{name}"])

    def _members(self, prefix: str) -> Iterator[tuple[str, int, IO[bytes]]]:
        with tarfile.open(self.path, "r:") as tar:
            for member in tar:
                if member.name.startswith(prefix):
                    yield member.name.removeprefix(prefix), member.size, _bytes_of(tar, member)


def _verified(path: Path) -> Manifest:
    found: dict[str, str] = {}
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            source = _bytes_of(tar, member)
            if member.name == MANIFEST:
                return _checked(path, json.load(source), found)
            found[member.name] = _sha256(source)
    raise _unusable(path, "it has no manifest: it was cut short, or is no backup at all")


def _checked(path: Path, said: dict[str, Any], found: Mapping[str, str]) -> Manifest:
    if said.get("format") != FORMAT or said.get("version") != FORMAT_VERSION:
        raise _unusable(
            path, f"it is {said.get('format')!r} in version {said.get('version')!r}, which is not known here"
        )
    manifest = Manifest(**said)
    wrong = {name for name in found.keys() | manifest.members.keys() if found.get(name) != manifest.members.get(name)}
    if wrong:
        raise _unusable(path, f"{len(wrong)} of its parts are missing or were changed, such as {min(wrong)}")
    return manifest


def _sha256(source: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while data := source.read(READ_BYTES):
        digest.update(data)
    return digest.hexdigest()


def _bytes_of(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    source = tar.extractfile(member)
    if source is None:
        raise ValueError(f"{member.name} is no file")
    return source


def _unusable(path: Path, reason: str) -> BadBackup:
    return BadBackup(
        f"The backup {path} cannot be used: {reason}.",
        remedy=Remedy("Nothing was changed. Take another backup file."),
        evidence={"path": str(path)},
    )
