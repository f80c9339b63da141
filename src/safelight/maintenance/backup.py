"""Back up a whole installation into one file while it runs: the rows of one moment, and the files they name if wanted.

The archive holds the secret that signs addresses, so only its owner can read it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeVar

import sqlalchemy as sa

from safelight import __version__
from safelight.domain.errors import Conflict, Remedy
from safelight.maintenance.archive import ArchiveWriter, Manifest
from safelight.storage.keys import checked_key
from safelight.storage.local_disk import fsync
from safelight.store import migrate, numbers
from safelight.store.connect import sqlite_path
from safelight.store.refill import kept_tables
from safelight.store.snapshot import Snapshot, snapshot
from safelight.store.tables import assets, uploads

T = TypeVar("T")
Progress = Callable[[Manifest], object]

SLICE = 5_000
"""Rows of one member of the archive, and in memory at a time."""
BESIDE_SQLITE = ("", "-wal", "-shm", "-journal", "-writer", "-next")
"""Ends of the names of the database file and of those that go with it."""


def back_up(
    url: str,
    target: Path,
    *,
    files_in: Path | None = None,
    overwrite: bool = False,
    progress: Progress = lambda _: None,
) -> Manifest:
    """Write the archive; it appears under its name only once it is whole and on disk.

    `files_in` is the folder of the asset store, if its files are to be taken along. Raises NotMigrated, Unavailable,
    Conflict where `target` is there and must not be overwritten, or is the database itself, and OSError.
    """
    _refuse_the_database(url, target)
    migrate.ensure(url, upgrade=False)
    with _appearing(target, overwrite) as file, snapshot(url) as state:
        manifest = Manifest(
            schema=migrate.head(),
            safelight=__version__,
            created_at=datetime.fromtimestamp(state.tx.now, UTC).isoformat(timespec="milliseconds"),
            database=state.tx.dialect.name,
        )
        writer = ArchiveWriter(file, manifest)
        _add_rows(writer, state, progress)
        if files_in is not None:
            _add_files(writer, state, files_in, progress)
        writer.finish()
    return manifest


def _refuse_the_database(url: str, target: Path) -> None:
    """Its processes would go on in a file without a name: all that was there, and all that comes, would be lost."""
    database = sqlite_path(url)
    if database is None:
        return
    asked = target.parent.resolve() / target.name
    for path in (database.parent.resolve() / database.name, database.resolve()):
        if asked in {path.with_name(path.name + end) for end in BESIDE_SQLITE}:
            raise Conflict(
                f"{target} belongs to the database that is to be backed up.",
                remedy=Remedy("Name another file, best on another disk."),
                evidence={"database": str(database)},
            )


def _add_rows(writer: ArchiveWriter, state: Snapshot, progress: Progress) -> None:
    for table in kept_tables():
        names = [column.name for column in table.columns]
        writer.manifest.rows[table.name] = 0
        for rows in _slices(state.rows(table), SLICE):
            writer.add_rows(table.name, [dict(zip(names, row, strict=True)) for row in rows])
            progress(writer.manifest)
        if numbers.gives_numbers(table):
            writer.manifest.numbers[table.name] = numbers.highest_given(state.tx, table)


def _add_files(writer: ArchiveWriter, state: Snapshot, folder: Path, progress: Progress) -> None:
    """A file that is no longer there was pruned meanwhile, or lost before: it is counted, and the rest goes on."""
    for key in _named_files(state):
        try:
            with (folder / checked_key(key)).open("rb") as source:
                writer.add_file(key, source, os.fstat(source.fileno()).st_size)
        except FileNotFoundError:
            writer.manifest.missing_files += 1
        progress(writer.manifest)


def _named_files(state: Snapshot) -> Iterator[str]:
    """What jobs delivered, and the pictures that users brought."""
    for asset in _rows(state, assets):
        yield from (key for key in (asset["key"], asset["thumbnail_key"]) if key is not None)
    for upload in _rows(state, uploads):
        if upload["stored_at"] is not None:
            yield upload["key"]


def _rows(state: Snapshot, table: sa.Table) -> Iterator[dict[str, Any]]:
    names = [column.name for column in table.columns]
    return (dict(zip(names, row, strict=True)) for row in state.rows(table))


@contextmanager
def _appearing(target: Path, overwrite: bool) -> Iterator[IO[bytes]]:
    """A new file that only its owner can read, renamed when the block has ended well and its bytes are on disk."""
    if not overwrite and os.path.lexists(target):
        raise _is_there(target)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _rename(partial, target, overwrite)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    fsync(target.parent)


def _rename(partial: Path, target: Path, overwrite: bool) -> None:
    """Another backup may have taken the name meanwhile; a link, unlike a rename, would not replace it."""
    if overwrite:
        partial.replace(target)
        return
    try:
        os.link(partial, target)
    except FileExistsError as error:
        raise _is_there(target) from error


def _is_there(target: Path) -> Conflict:
    return Conflict(f"{target} is there already.", remedy=Remedy("Name another file, or add --force to replace it."))


def _slices(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(rows)
    while found := list(islice(iterator, size)):
        yield found
