"""The running parts of one process: presence, nudges, sweeper, and the claim loop if it has slots."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from safelight.domain.clock import local_s
from safelight.domain.errors import SafelightError, WorkerTooOld
from safelight.events.hub import Hub
from safelight.maintenance.expired_uploads import ExpiredUploads
from safelight.maintenance.pruner import Pruner
from safelight.maintenance.sweeper import Sweeper
from safelight.maintenance.webhooks import Webhooks
from safelight.queues.nudger import Nudger
from safelight.queues.watch import watch
from safelight.services.departures import FAILED, STOPPED, TOO_OLD
from safelight.services.presence import Process, addresses
from safelight.store.database import Database
from safelight.telemetry import metrics
from safelight.telemetry.spell import Spell
from safelight.worker import machine
from safelight.worker.aftercare import Aftercare
from safelight.worker.gatekeeper import Gatekeeper
from safelight.worker.presence import BEATS_PER_LEASE, Presence
from safelight.worker.release import refuse_if_too_old, until_too_old
from safelight.worker.runner import Runner
from safelight.worker.watchdog import Watchdog

log = structlog.get_logger(__name__)

DEPART_WITHIN_S = 5.0
LOOK_EVERY_S = 1.0
"""How often dead processes of this machine and jobs that came due are looked for."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds between the things that repeat."""

    lease_s: float
    sweep_s: float

    @property
    def beat_s(self) -> float:
        return self.lease_s / BEATS_PER_LEASE

    @property
    def look_s(self) -> float:
        """Between two looks at the processes: often enough to see every beat of a short lease."""
        return min(LOOK_EVERY_S, self.sweep_s, self.beat_s)


class RunningProcess:
    """Starts and stops the background tasks of a process, in the order that loses nothing."""

    def __init__(
        self,
        database: Database,
        hub: Hub,
        nudges: Nudger,
        presence: Presence,
        runner: Runner | None,
        rhythm: Rhythm,
        *,
        refill: Callable[[], Awaitable[None]] | None = None,
        end_hung: Callable[[float], None] | None = None,
    ) -> None:
        """`refill` keeps local mode in credits. `end_hung` is called from a thread when the event loop has hung for a
        lease; without it the process ends.
        """
        self._refill = refill
        self._database, self._hub, self._nudges = database, hub, nudges
        self._presence, self._runner, self._rhythm = presence, runner, rhythm
        self._watchdog = Watchdog(lambda: presence.ticked_at, rhythm.lease_s, end=end_hung)
        self._tasks: list[asyncio.Task[None]] = []
        self._claiming: asyncio.Task[None] | None = None
        self.failed = False
        self._left_because: str | None = None
        """Whether a part of it died, or it is too old. It drains and ends; who supervises it should start it anew."""

    async def start(
        self,
        sweeper: Sweeper,
        pruner: Pruner | None = None,
        expired: ExpiredUploads | None = None,
        webhooks: Webhooks | None = None,
    ) -> None:
        """Register, then begin to beat, sweep, prune and claim. Raises `WorkerTooOld` if it may not run jobs."""
        if self._runner is not None:
            await self._begin_only_if_new_enough()
        await self._presence.register()
        self._watchdog.start()
        self._tasks += [
            self._keep(self._presence.tick(), "tick"),
            self._keep(self._tell_hindrance(), "hindrance"),
            self._keep(self._presence.run(), "beat"),
            self._keep(self._sweep(sweeper), "sweep"),
            self._keep(watch(self._database, self._hub), "watch"),
        ]
        if pruner is not None:
            self._tasks.append(self._keep(pruner.run(), "prune"))
        if expired is not None:
            self._tasks.append(self._keep(expired.run(), "uploads"))
        if webhooks is not None:
            self._tasks.append(self._keep(webhooks.run(self._hub), "webhooks"))
        if self._runner is not None:
            self._tasks.append(self._keep(self._reconcile(self._runner), "reconcile"))
            self._tasks.append(self._keep(Aftercare(self._runner.bench).run(), "aftercare"))
            self._tasks.append(self._keep(Gatekeeper(self._runner.bench).run(), "gates"))
            self._tasks.append(self._keep(self._end_when_too_old(), "version"))
            self._claiming = self._keep(self._runner.run(), "claim")

    async def drain(self) -> None:
        """Stop claiming, let attempts end or hand them back. Beats and sweeps go on meanwhile."""
        if self._runner is None or self._claiming is None:
            return
        self._presence.draining = True
        await _end(self._claiming)
        self._claiming = None
        await self._runner.drain()

    async def stop(self) -> None:
        """After `drain`: end the tasks and take the row away."""
        self._watchdog.stop()
        for task in self._tasks:
            await _end(task)
        self._tasks = []
        with suppress(
            OSError, SafelightError, TimeoutError
        ):  # a database that is away: the sweep of others finds us gone
            async with asyncio.timeout(DEPART_WITHIN_S):
                await self._presence.depart(self._left_because or (FAILED if self.failed else STOPPED))

    def meet(self, processes: list[Process]) -> None:
        """Nudge everyone who is there."""
        self._nudges.set_peers(addresses(processes, host=machine.host_name(), boot_id=machine.boot_id()))

    async def _tell_hindrance(self) -> None:
        """Say once why the database cannot be written, and once that it can again; all others just try again."""
        spell = Spell(log, "database_hindered")
        while True:
            if hindrance := self._database.hindrance():
                spell.met(hindrance, remedy=str(getattr(hindrance, "remedy", "")))
            else:
                spell.over()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _sweep(self, sweeper: Sweeper) -> None:
        thorough_at, spell = local_s(), Spell(log, "sweep_failed")
        while True:
            thorough = local_s() >= thorough_at
            if thorough:
                thorough_at = local_s() + self._rhythm.sweep_s
            try:
                with metrics.timed(metrics.SWEEP.labels(str(thorough).lower())):
                    swept = await sweeper.run_once(thorough=thorough)
                for outcome, n in swept.items():
                    metrics.SWEPT.labels(outcome).inc(n)
                if thorough and self._refill:
                    await self._refill()
                spell.over()
            except (OSError, SafelightError) as error:
                spell.met(error)
            await asyncio.sleep(self._rhythm.look_s)

    async def _reconcile(self, runner: Runner) -> None:
        spell = Spell(log, "reconcile_failed")
        while True:
            await asyncio.sleep(self._rhythm.beat_s)
            try:
                await runner.reconcile()
                spell.over()
            except (OSError, SafelightError) as error:
                spell.met(error)

    async def _end_when_too_old(self) -> None:
        refusal = await until_too_old(self._database, self._rhythm.beat_s)
        log.error("worker_too_old", error=refusal.what, remedy=str(refusal.remedy))
        self._left_because = TOO_OLD
        self._fail()

    async def _begin_only_if_new_enough(self) -> None:
        """Raises `WorkerTooOld`, and leaves word for those who wonder why nobody serves its queues."""
        try:
            await refuse_if_too_old(self._database)
        except WorkerTooOld:
            await self._presence.turn_away(TOO_OLD)
            raise

    def _keep(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """A task whose death is heard of."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._report_death)
        return task

    def _report_death(self, task: asyncio.Task[None]) -> None:
        """A process that no longer beats, sweeps or claims must not look alive."""
        if not task.cancelled() and (error := task.exception()):
            log.critical("task_died", task=task.get_name(), exc_info=error)
            self._fail()

    def _fail(self) -> None:
        """Drain and end, as if asked to, but not as if all were well."""
        self.failed = True
        signal.raise_signal(signal.SIGTERM)


async def _end(task: asyncio.Task[None]) -> None:
    """Whatever it died of was reported then."""
    task.cancel()
    await asyncio.wait({task})
