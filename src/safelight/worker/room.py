"""Room on the disks where assets and a SQLite file go: without it no job is claimed; what runs may still end."""

from __future__ import annotations

import asyncio
import math

import structlog

from safelight.domain.clock import local_s
from safelight.domain.errors import Unavailable
from safelight.services.disk import LEAST_FREE_BYTES, free_disk_bytes
from safelight.storage.assets import AssetStore
from safelight.store.database import Database

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0


class Room:
    """What the last look found. A disk that cannot be looked at has no room either."""

    def __init__(self, store: AssetStore, database: Database) -> None:
        self._store, self._database = store, database
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
            free_bytes = free_disk_bytes(self._store.free_disk_bytes, self._database)
        except Unavailable as error:
            return self._found(False, error=str(error))
        return self._found(free_bytes is None or free_bytes >= LEAST_FREE_BYTES, free_bytes=free_bytes)

    def _found(self, left: bool, **evidence: object) -> bool:
        if left != self._left:
            log.warning("claims_go_on" if left else "claims_stopped_for_want_of_disk", **evidence)
        return left
