"""The doctor inside a server: what it finds, kept for some seconds, so that whoever asks often costs nothing."""

from __future__ import annotations

import asyncio

from safelight.diagnosis.doctor import Report, examine
from safelight.diagnosis.sources import Sources
from safelight.domain.clock import local_s

KEEP_S = 5.0


class Checkup:
    """Looks at rows, disks and its own process; asks no provider and writes nothing."""

    def __init__(self, sources: Sources, keep_s: float = KEEP_S) -> None:
        self._sources, self._keep_s = sources, keep_s
        self._latest: Report | None = None
        self._looked_at = 0.0
        self._looking = asyncio.Lock()

    async def report(self) -> Report:
        """The latest, not older than `keep_s`; those who ask at the same moment share one look."""
        async with self._looking:
            if self._latest is None or local_s() - self._looked_at >= self._keep_s:
                self._latest = await examine(self._sources)
                self._looked_at = local_s()
            return self._latest
