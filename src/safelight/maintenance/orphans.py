"""Delete stored files that belong to nobody: leftovers of calls whose outcome was lost, of zombies and crashes,
also half-written ones.

A file may be stored long before the row that names it, so only old ones count, by the clock of the store itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import structlog

from safelight.services import orphan_files
from safelight.services.aftercare import LOOKED_AFTER_S
from safelight.storage.assets import AssetStore, StoredObject
from safelight.storage.keys import ROOT, UPLOADS
from safelight.store.database import Database

log = structlog.get_logger(__name__)

PAGE = 500


@dataclass
class Orphans:
    """What was looked at, and what went or would go."""

    seen: int = 0
    files: int = 0
    bytes: int = 0


async def collect_orphans(
    database: Database,
    store: AssetStore,
    longest_job_s: float,
    *,
    dry_run: bool = False,
    progress: Callable[[Orphans], object] = lambda _: None,
) -> Orphans:
    """Walk over the whole store, a page at a time. Raises StorageFailed; run it again, it goes on where it matters.

    `longest_job_s` is the longest that any job may take from its submission to its deadline.
    """
    done = Orphans()
    before = await store.now() - longest_job_s - LOOKED_AFTER_S
    async for page in _pages(store):
        done.seen += len(page)
        old = {file.key: file for file in page if file.modified_at < before}
        orphans = await database.read(orphan_files.unclaimed, list(old))
        if not dry_run:
            await store.delete(orphans)
        done.files += len(orphans)
        done.bytes += sum(old[key].size_bytes for key in orphans)
        progress(done)
    files, size_bytes = await store.delete_partial(before, dry_run=dry_run)
    done.files, done.bytes = done.files + files, done.bytes + size_bytes
    if done.files and not dry_run:
        log.info("orphans_deleted", files=done.files, bytes=done.bytes)
    return done


async def _pages(store: AssetStore) -> AsyncIterator[list[StoredObject]]:
    page: list[StoredObject] = []
    for root in (ROOT, UPLOADS):
        async for file in store.list(root):
            page.append(file)
            if len(page) == PAGE:
                yield page
                page = []
    yield page
