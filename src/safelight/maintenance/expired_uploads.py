"""Remove uploads whose time is over and that no job names: mark, files, rows. Any number of processes may run it."""

from __future__ import annotations

import structlog

from safelight.maintenance.now_and_then import now_and_then
from safelight.services import uploads
from safelight.storage.assets import AssetStore
from safelight.storage.keys import incoming_key
from safelight.store.database import Database

log = structlog.get_logger(__name__)

FIRST_S, EVERY_S = 30.0, 600.0


class ExpiredUploads:
    """`run_once` also ends what was begun by somebody else: a user's DELETE, a run that was cut off."""

    def __init__(self, database: Database, store: AssetStore) -> None:
        self._database, self._store = database, store

    async def run_once(self) -> int:
        """How many went. Raises StorageFailed or Unavailable; the next run goes on where this one stopped."""
        await self._forget_uses_of_nobody()
        while numbers := await self._database.read(uploads.expired):
            if not await self._database.write(uploads.mark_expired, numbers):
                break  # others are at it
        gone = 0
        while leaving := await self._database.read(uploads.leaving):
            await self._store.delete([key for upload in leaving for key in (upload.key, incoming_key(upload.id))])
            gone += await self._database.write(uploads.forget_uploads, [upload.number for upload in leaving])
        if gone:
            log.info("uploads_removed", uploads=gone)
        return gone

    async def _forget_uses_of_nobody(self) -> None:
        after = 0
        while users := await self._database.read(uploads.job_users, after):
            if gone := sorted({user.job for user in users if user.there is None}):
                await self._database.write(uploads.forget_uses, gone)
            after = users[-1].job

    async def run(self, *, first_s: float = FIRST_S, every_s: float = EVERY_S) -> None:
        """Now and then, for ever."""
        await now_and_then(self.run_once, "uploads_not_removed", first_s=first_s, every_s=every_s)
