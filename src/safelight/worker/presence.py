"""The presence of one process: its row, its beats, and whether it may still act on what it claimed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from safelight import __version__
from safelight.domain.clock import local_s
from safelight.domain.errors import SafelightError
from safelight.domain.ids import new_id
from safelight.services import presence as rows
from safelight.services.sql import as_json
from safelight.store.database import Database
from safelight.worker import machine

log = structlog.get_logger(__name__)

BEATS_PER_LEASE = 6


@dataclass(frozen=True, slots=True)
class Role:
    """What this process does, as others see it."""

    name: str
    """api, worker or api+worker."""
    queues: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    slots: int = 0
    url: str | None = None
    backend: str = "database"


class Presence:
    """Beats through the same writer as everything else, ahead of it. Losing the row ends the identity."""

    def __init__(
        self, database: Database, role: Role, *, lease_s: float, nudge_address: str | None, busy: Callable[[], int]
    ) -> None:
        self._database, self._role, self._lease_s = database, role, lease_s
        self._nudge_address, self._busy = nudge_address, busy
        self._beaten_at = local_s()
        self._lag_ms = 0.0
        self.id = new_id()
        self.draining = False

    @property
    def lease_held(self) -> bool:
        """Whether this process may claim and send: it has beaten within two thirds of its lease."""
        return local_s() - self._beaten_at < self._lease_s * 2 / 3

    @property
    def slots(self) -> int:
        """Jobs this process runs at a time; 0 if it runs none."""
        return self._role.slots

    async def register(self) -> None:
        """Make the row under a fresh id."""
        self.id = new_id()
        started = local_s()
        await self._database.write(rows.register, self._registration())
        self._beaten_at = started

    async def beat(self) -> bool:
        """One beat; False if this identity was declared lost, and then a new one is registered."""
        started = local_s()
        said = rows.Beat(self.id, self._busy(), self.draining, self._lag_ms, machine.rss_bytes())
        if await self._database.write_first(rows.beat, said):
            self._beaten_at = started
            return True
        log.warning("presence_lost", worker=self.id)
        await self.register()
        return False

    async def run(self) -> None:
        """Beat until cancelled. A database that is away costs beats, never the loop."""
        interval_s = self._lease_s / BEATS_PER_LEASE
        while True:
            due = local_s() + interval_s
            await asyncio.sleep(interval_s)
            self._lag_ms = max(0.0, (local_s() - due) * 1000)
            try:
                await self.beat()
            except (OSError, SafelightError) as error:
                log.warning("beat_failed", worker=self.id, error=str(error), lease_held=self.lease_held)

    async def depart(self) -> None:
        """Take the row away: this process ends in good order."""
        await self._database.write(rows.depart, self.id)

    def _registration(self) -> rows.Registration:
        role = self._role
        return rows.Registration(
            id=self.id,
            role=role.name,
            host=machine.host_name(),
            boot_id=machine.boot_id(),
            pid=os.getpid(),
            process_started=machine.process_started(os.getpid()) or "",
            url=role.url,
            backend=role.backend,
            nudge_address=self._nudge_address,
            queues=as_json(list(role.queues)),
            providers=as_json(list(role.providers)),
            slots=role.slots,
            version=__version__,
        )
