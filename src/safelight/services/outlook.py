"""What a process knows of its installation when it takes a request: who can run what, and how long that takes.

Read at most every few seconds, and never waited for twice: what is a little old does no harm, the worker looks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import structlog

from safelight.catalog.model import NOTHING_KNOWN
from safelight.domain.clock import local_s
from safelight.domain.errors import Unavailable
from safelight.services import durations, presence
from safelight.services.durations import Duration
from safelight.store.database import Database
from safelight.store.tx import Tx

log = structlog.get_logger(__name__)

KEEP_S = 2.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """`configured`: providers of this process and of every live worker. `missing`: what this process lacks for others,
    by provider, in words (`no OPENAI_API_KEY`)."""

    configured: frozenset[str]
    missing: Mapping[str, str] = field(default_factory=dict)
    learnt: Mapping[str, Duration] = field(default_factory=dict)


class Lookout:
    """Keeps an Outlook that is not older than KEEP_S, as far as the database can be read."""

    def __init__(
        self,
        database: Database,
        own: Collection[str],
        missing: Mapping[str, str] = NOTHING_KNOWN,
        keep_s: float = KEEP_S,
    ) -> None:
        self._database, self._own, self._missing, self._keep_s = database, frozenset(own), missing, keep_s
        self._latest = Outlook(self._own, missing)
        self._read_at: float | None = None
        self._reading = asyncio.Lock()

    @property
    def own(self) -> frozenset[str]:
        """The providers of this very process."""
        return self._own

    @property
    def missing(self) -> Mapping[str, str]:
        """What this process lacks for other providers, by name."""
        return self._missing

    async def look(self) -> Outlook:
        """The latest; while the database is away, what was seen last."""
        if self._is_fresh():
            return self._latest
        async with self._reading:
            if not self._is_fresh():
                await self._read()
        return self._latest

    def _is_fresh(self) -> bool:
        return self._read_at is not None and local_s() - self._read_at < self._keep_s

    async def _read(self) -> None:
        try:
            elsewhere, learnt = await self._database.read(_around)
        except (OSError, Unavailable) as error:
            log.warning("outlook_is_old", error=str(error))
        else:
            self._latest = Outlook(self._own | elsewhere, self._missing, learnt)
        self._read_at = local_s()


def _around(tx: Tx) -> tuple[frozenset[str], dict[str, Duration]]:
    workers = (p for p in presence.processes(tx) if p.slots > 0 and p.lost_at is None)
    return frozenset(name for worker in workers for name in worker.provider_names), durations.known(tx)
