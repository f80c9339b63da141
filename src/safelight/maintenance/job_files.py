"""All files of a job: those its rows name, and whatever else is stored under its name.

A file that another job's asset names (one that picked up a call and took over what it had made) is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from safelight.domain.errors import StorageFailed
from safelight.services import orphan_files, prune
from safelight.services.prune import Marked
from safelight.storage.assets import AssetStore, StoredObject
from safelight.storage.keys import job_folder
from safelight.store.database import Database

T = TypeVar("T")
Files = list[StoredObject]

JOBS_AT_ONCE = 8


class JobFiles:
    """Looks for and deletes the files of a slice of jobs, some at a time."""

    def __init__(self, database: Database, store: AssetStore) -> None:
        self._database, self._store = database, store

    async def find(self, jobs: Sequence[Marked]) -> dict[Marked, Files | StorageFailed]:
        """What is stored of each job, or why that cannot be told."""
        numbers = [job.number for job in jobs]
        named = await self._database.read(prune.files_named, numbers)
        found = await _each(jobs, lambda job: self._stored(job, named[job.number]))
        keys = [file.key for files in found.values() if not isinstance(files, StorageFailed) for file in files]
        others = await self._database.read(orphan_files.named, keys, but_not_of=numbers)
        return {
            job: files if isinstance(files, StorageFailed) else _without(files, others) for job, files in found.items()
        }

    async def delete(self, found: Mapping[Marked, Files]) -> dict[Marked, StorageFailed | None]:
        """Delete what was found; for each job None, or why some of it is still there."""
        return await _each(list(found), lambda job: self._store.delete([file.key for file in found[job]]))

    async def _stored(self, job: Marked, named: Sequence[str]) -> Files:
        folder = job_folder(job.id)
        files = [file async for file in self._store.list(folder)]
        elsewhere = [await self._store.head(key) for key in named if not key.startswith(f"{folder}/")]
        return files + [file for file in elsewhere if file]


async def _each(jobs: Sequence[Marked], act: Callable[[Marked], Awaitable[T]]) -> dict[Marked, T | StorageFailed]:
    turns = asyncio.Semaphore(JOBS_AT_ONCE)

    async def take(job: Marked) -> T | StorageFailed:
        async with turns:
            try:
                return await act(job)
            except StorageFailed as error:
                return error

    return dict(zip(jobs, await asyncio.gather(*map(take, jobs)), strict=True))


def _without(files: Files, others: set[str]) -> Files:
    return [file for file in files if file.key not in others]
