"""Restore a backup into an empty database of either kind: checked whole before, written in one transaction.

Files go first: a crash after them leaves files that nobody names, one before them would leave rows without files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.errors import BadBackup, Conflict, Remedy
from safelight.maintenance.archive import Manifest
from safelight.maintenance.archive_reading import Archive
from safelight.maintenance.recovery import IsLive, Recovered, recover_after_restore, refuse_while_processes_beat
from safelight.storage.assets import AssetStore
from safelight.store import migrate, refill
from safelight.store.connect import open_database
from safelight.store.statements import Query
from safelight.store.tx import Tx

Progress = Callable[[str], object]

MADE_BY_A_START = frozenset({"installation", "queues", "workers"})
"""Tables that a process fills by itself: rows there are nobody's work."""


class Restored(NamedTuple):
    """What was written, and what the recovery after it did; None where it was left out."""

    manifest: Manifest
    recovered: Recovered | None


class _Some(NamedTuple):
    one: int


def restore(
    url: str,
    source: Path,
    store: AssetStore,
    *,
    is_live: IsLive,
    replace: bool = False,
    recover: bool = True,
    progress: Progress = lambda _: None,
) -> Restored:
    """Put the backup's rows and files in place, then recover as after any restore unless nothing ran since the backup.

    Raises BadBackup; NotMigrated for a database with another schema; Conflict while processes work on it, or where it
    has rows and `replace` is not set. Then nothing was changed.
    """
    progress("Checking the backup")
    archive = Archive(source)
    _refuse_other_schema(archive)
    migrate.ensure(url, upgrade=migrate.current(url) is None)
    with closing(open_database(url)) as database:
        with database.reading() as tx:
            _refuse(tx, is_live, replace)
        if archive.manifest.files:
            asyncio.run(_put_files(archive, store, progress))
        with database.transaction() as tx:
            refill.lock_all(tx)
            _refuse(tx, is_live, replace)
            _write_rows(tx, archive, progress)
            recovered = recover_after_restore(lambda: nullcontext(tx), fail_unsent=False) if recover else None
    return Restored(archive.manifest, recovered)


def _refuse_other_schema(archive: Archive) -> None:
    made = archive.manifest
    if made.schema != migrate.head():
        raise BadBackup(
            f"The backup {archive.path} has schema {made.schema}; this program needs {migrate.head()}.",
            remedy=Remedy(
                f"Restore it with Safelight {made.safelight}, which made it, then upgrade the database.",
                "safelight db upgrade",
            ),
            evidence={"found": made.schema, "needed": migrate.head()},
        )


def _refuse(tx: Tx, is_live: IsLive, replace: bool) -> None:
    refuse_while_processes_beat(tx, is_live)
    if replace:
        return
    for table in refill.kept_tables():
        if table.name not in MADE_BY_A_START and tx.one(
            Query(sa.select(sa.literal(1)).select_from(table).limit(1), _Some)
        ):
            raise Conflict(
                f"The database is not empty: there are rows in {table.name}.",
                remedy=Remedy("Restore into a new one, or back this one up and add --replace: all of it is removed."),
                evidence={"table": table.name},
            )


async def _put_files(archive: Archive, store: AssetStore, progress: Progress) -> None:
    for done, file in enumerate(archive.files(), 1):
        await store.put_file(file.key, file.source, file.size_bytes, file.sha256)
        progress(f"{done} of {archive.manifest.files} files")


def _write_rows(tx: Tx, archive: Archive, progress: Progress) -> None:
    refill.empty_all(tx)
    tables = {table.name: refill.Refill(tx, table) for table in refill.kept_tables()}
    done, total = 0, sum(archive.manifest.rows.values())
    for name, rows in archive.rows():
        tables[name].add(rows)
        done += len(rows)
        progress(f"{done} of {total} rows")
    refill.give_above(tx, archive.manifest.numbers)
