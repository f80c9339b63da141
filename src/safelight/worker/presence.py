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
from safelight.services.departures import STOPPED, Leaver, note
from safelight.services.sql import as_json
from safelight.store.database import Database
from safelight.store.tx import Tx
from safelight.telemetry import metrics
from safelight.telemetry.spell import Spell
from safelight.worker import machine

log = structlog.get_logger(__name__)

BEATS_PER_LEASE = 6
TICKS_PER_BEAT = 4


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
    kinds: tuple[str, ...] = ()


class Presence:
    """Beats through the same writer as everything else, ahead of it. Losing the row ends the identity.

    `busy` and `sweeps` tell how many jobs run and how many sweeps were made.
    """

    def __init__(
        self,
        database: Database,
        role: Role,
        *,
        lease_s: float,
        nudge_address: str | None,
        busy: Callable[[], int],
        sweeps: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = local_s,
    ) -> None:
        self._database, self._role, self._lease_s = database, role, lease_s
        self._nudge_address, self._busy, self._sweeps, self._clock = nudge_address, busy, sweeps, clock
        self._beaten_at = clock()
        self._ticked_at = clock()
        self._lag_s = 0.0
        self.id = new_id()
        self.draining = False

    @property
    def lease_held(self) -> bool:
        """Whether this process may claim and send: it has beaten within two thirds of its lease."""
        return self._clock() - self._beaten_at < self._lease_s * 2 / 3

    def lease_of_now(self) -> Callable[[], bool]:
        """Whether the lease under which something is claimed now still holds: from any thread."""
        identity = self.id
        return lambda: self.lease_held and self.id == identity

    @property
    def slots(self) -> int:
        """Jobs this process runs at a time; 0 if it runs none."""
        return self._role.slots

    @property
    def ticked_at(self) -> float:
        """When the event loop last ran something of ours, by the local clock. May be asked from any thread."""
        return self._ticked_at

    async def register(self) -> None:
        """Make the row under a fresh id."""
        self.id = new_id()
        started = self._clock()
        await self._database.write(rows.register, self._registration())
        self._beaten_at = started

    async def beat(self) -> bool:
        """One beat; False if this identity was declared lost, and then a new one is registered."""
        self._ticked_at = started = self._clock()
        said = rows.Beat(self.id, self._busy(), self.draining, self._lag_s * 1000, machine.rss_bytes(), self._sweeps())
        beaten = await self._database.write_first(self._beat_while_ticking, said)
        if beaten is None:  # it waited for the writer while the loop hung, and the loop is back
            return await self.beat()
        if beaten:
            self._beaten_at, self._lag_s = started, 0.0
            return True
        log.warning("presence_lost", worker=self.id)
        await self.register()
        return False

    async def run(self) -> None:
        """Beat until cancelled. A database that is away costs beats, never the loop."""
        spell = Spell(log, "beat_failed")
        while True:
            await asyncio.sleep(self._lease_s / BEATS_PER_LEASE)
            try:
                await self.beat()
                spell.over()
            except (OSError, SafelightError) as error:
                spell.met(error, worker=self.id, lease_held=self.lease_held)

    async def tick(self) -> None:
        """Show until cancelled that the event loop runs, and measure how late it is."""
        every_s = self._lease_s / BEATS_PER_LEASE / TICKS_PER_BEAT
        while True:
            due = self._clock() + every_s
            await asyncio.sleep(every_s)
            self._ticked_at = self._clock()
            self._lag_s = max(self._lag_s, self._ticked_at - due)
            metrics.LOOP_LAG.set(self._lag_s)

    async def depart(self, reason: str = STOPPED) -> None:
        """Take the row away: this process ends in good order. `reason` as in `services.departures`."""
        await self._database.write(rows.depart, self.id, reason)

    async def turn_away(self, reason: str) -> None:
        """Leave word that this process may not begin."""
        it = self._registration()
        await self._database.write(note, Leaver(it.role, it.host, it.pid, it.version, it.queues), reason)

    def _beat_while_ticking(self, tx: Tx, said: rows.Beat) -> bool | None:
        """In the writer's thread, which runs on when the loop hangs; None if it does: then others must hear nothing."""
        if self._clock() - self._ticked_at > self._lease_s / 2:
            return None
        return rows.beat(tx, said)

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
            kinds=as_json(list(role.kinds)),
        )
