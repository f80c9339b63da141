"""Room on the disks where assets, files on their way and a SQLite file go.

Without it no job is claimed; what runs may still end.
"""

from __future__ import annotations

import asyncio
import math

import structlog

from safelight.domain.clock import local_s
from safelight.domain.errors import Unavailable
from safelight.services.disk import LEAST_FREE_BYTES, free_disk_bytes
from safelight.storage.assets import AssetStore
from safelight.store.database import Database
from safelight.worker.fetching import Fetching

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0


class Room:
    """What the last look found. A disk that cannot be looked at has no room either."""

    def __init__(self, store: AssetStore, fetching: Fetching, database: Database) -> None:
        self._store, self._fetching, self._database = store, fetching, database
        self._looked_at = -math.inf
        self._left = True

    async def is_left(self) -> bool:
        """Looks at most once a second, in a thread: a disk that hangs stops claims, and nothing else."""
        if local_s() - self._looked_at >= LOOK_EVERY_S:
            left = await asyncio.to_thread(self._look)
            self._looked_at, self._left = local_s(), left
        return self._left

    def _look(self) -> bool:
        try:
            free_bytes = free_disk_bytes(self._of_files, self._database)
        except Unavailable as error:
            return self._found(False, error=str(error))
        return self._found(free_bytes is None or free_bytes >= LEAST_FREE_BYTES, free_bytes=free_bytes)

    def _of_files(self) -> int | None:
        """An object store needs no disk here, but a film on its way there does."""
        found = (self._store.free_disk_bytes(), self._fetching.free_disk_bytes())
        return min((free for free in found if free is not None), default=None)

    def _found(self, left: bool, **evidence: object) -> bool:
        if left != self._left:
            log.warning("claims_go_on" if left else "claims_stopped_for_want_of_disk", **evidence)
        return left
