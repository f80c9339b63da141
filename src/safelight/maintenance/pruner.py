"""The pruner: ended jobs go when their time is over, in three steps that can each be repeated: mark, files, rows.

What users delete is marked already; here its files and rows go, at once or by the next run.

Any number of processes may run it at once; they only do some of the work twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import structlog

from safelight.domain.errors import StorageFailed, Unavailable
from safelight.maintenance.job_files import JobFiles
from safelight.maintenance.now_and_then import now_and_then
from safelight.maintenance.pruned import Pruned
from safelight.services import prune, prune_keys, removal
from safelight.services.job_pages import OUT_OF_ORDER_S
from safelight.services.prune import KINDS, SLICE, Cutoffs, Marked
from safelight.services.prune_keys import KeyRow
from safelight.services.removal import Doomed
from safelight.storage.assets import AssetStore
from safelight.store.database import Database
from safelight.store.tx import Tx

log = structlog.get_logger(__name__)

FIRST_S, EVERY_S = 60.0, 3600.0


class Pruner:
    """`run_once` removes what ended longer ago than its kind is kept; `plan` only says what that would be.

    `keep_s` has the seconds by kind, None for ever; a kind that is not in it is kept for ever too.
    """

    def __init__(
        self,
        database: Database,
        store: AssetStore,
        keep_s: Mapping[str, float | None],
        *,
        progress: Callable[[Pruned], object] = lambda _: None,
    ) -> None:
        self._database, self._store, self._keep_s, self._progress = database, store, keep_s, progress
        self._files = JobFiles(database, store)

    async def run_once(self) -> Pruned:
        """Also ends what an earlier run has begun. Raises Unavailable when the database cannot be written."""
        cutoffs, key_cutoff = await self._cutoffs()
        async for numbers in self._due(cutoffs):
            await self._database.write(prune.mark, numbers, cutoffs)
        done = Pruned()
        await self._remove_marked(done)
        await self._remove_assets(done)
        async for old in self._old_keys(key_cutoff):
            done.keys += await self._database.write(prune_keys.forget, old, key_cutoff)
        if done.jobs:
            log.info("pruned", jobs=done.jobs.total(), files=done.files.total(), failed=done.failed)
        if done.failed:
            log.warning("files_not_deleted", jobs=done.failed, because=done.failure)
        return done

    async def finish(self, jobs: Sequence[Marked] = (), files: Sequence[Doomed] = ()) -> None:
        """Remove what was just marked. What cannot go now, the next run takes: nobody waits for that."""
        done = Pruned()
        try:
            for n in range(0, len(jobs), SLICE):
                await self._database.write(prune.remove, await self._delete_files(jobs[n : n + SLICE], done))
            await self._remove_these(files, done)
        except Unavailable as error:
            log.warning("removal_put_off", error=str(error))
        if done.failed:
            log.warning("files_not_deleted", jobs=done.failed, because=done.failure)

    async def run(self, *, first_s: float = FIRST_S, every_s: float = EVERY_S) -> None:
        """Once an hour, for ever."""
        await now_and_then(self.run_once, "prune_failed", first_s=first_s, every_s=every_s)

    async def plan(self) -> Pruned:
        """What `run_once` would remove now. Changes nothing."""
        cutoffs, key_cutoff = await self._cutoffs()
        done = Pruned()
        async for marked in self._marked():
            await self._count(marked, done)
        async for numbers in self._due(cutoffs):
            await self._count(await self._database.read(prune.families, numbers), done)
        async for old in self._old_keys(key_cutoff):
            done.keys += len(old)
        return done

    async def _cutoffs(self) -> tuple[Cutoffs, float]:
        """Before which moments jobs and keys go, by the database's clock. Keys outlive the jobs of every kind."""
        now = await self._database.read(_now)
        kept = {kind: keep_s for kind, keep_s in self._keep_s.items() if keep_s is not None}
        cutoffs = Cutoffs(**{kind: now - kept[kind] if kind in kept else 0.0 for kind in KINDS})
        longest_s = max(kept.values()) if len(kept) == len(KINDS) else now
        return cutoffs, now - max(longest_s, prune_keys.LEAST_KEPT_S)

    async def _due(self, cutoffs: Cutoffs) -> AsyncIterator[list[int]]:
        """Slices of jobs to mark. Numbers grow with time, so the walk ends where the young jobs begin."""
        after = 0
        while seen := await self._database.read(prune.walk, after, cutoffs):
            if due := [job.number for job in seen if job.prunable]:
                yield due
            after = seen[-1].number
            if seen[-1].created_at > cutoffs.latest + OUT_OF_ORDER_S:
                return

    async def _old_keys(self, cutoff: float) -> AsyncIterator[list[KeyRow]]:
        last = prune_keys.FIRST
        while seen := await self._database.read(prune_keys.walk, last):
            if old := [row for row in seen if row.created_at < cutoff]:
                yield old
            last = seen[-1]

    async def _marked(self) -> AsyncIterator[list[Marked]]:
        after = 0
        while marked := await self._database.read(prune.marked_jobs, after):
            yield marked
            after = marked[-1].number

    async def _remove_marked(self, done: Pruned) -> None:
        """A job whose files cannot be deleted does not keep the others waiting, but where all fail storage is away."""
        async for marked in self._marked():
            gone = await self._delete_files(marked, done)
            await self._database.write(prune.remove, gone)
            self._progress(done)
            if not gone:
                return

    async def _remove_assets(self, done: Pruned) -> None:
        after = 0
        while files := await self._database.read(removal.doomed_assets, after):
            await self._remove_these(files, done)
            after = files[-1].number

    async def _remove_these(self, files: Sequence[Doomed], done: Pruned) -> None:
        gone = []
        for file in files:
            try:
                await self._store.delete(file.keys)
            except StorageFailed as error:
                done.fail(error)
            else:
                gone.append(file.number)
        if gone:
            await self._database.write(removal.forget_assets, gone)

    async def _delete_files(self, marked: Sequence[Marked], done: Pruned) -> list[int]:
        """The numbers of those jobs of which no file is left."""
        found = await self._files.find(marked)
        sound = {job: files for job, files in found.items() if not isinstance(files, StorageFailed)}
        deleted = await self._files.delete(sound)
        for error in (*found.values(), *deleted.values()):
            if isinstance(error, StorageFailed):
                done.fail(error)
        gone = [job for job, error in deleted.items() if error is None]
        for job in gone:
            done.add(job, sound[job])
        return [job.number for job in gone]

    async def _count(self, jobs: Sequence[Marked], done: Pruned) -> None:
        for job, files in (await self._files.find(jobs)).items():
            done.fail(files) if isinstance(files, StorageFailed) else done.add(job, files)
        self._progress(done)


def _now(tx: Tx) -> float:
    return tx.now
