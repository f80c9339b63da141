"""The claim loop: as many jobs as there are slots, woken by nudges, until it is drained."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from safelight.domain.clock import local_s
from safelight.domain.errors import SafelightError
from safelight.services.claim import Terms, claim
from safelight.services.claimable import ClaimedJob
from safelight.services.held import Held, held_by
from safelight.services.progress import Standing
from safelight.services.sweep import take_unrun
from safelight.telemetry import metrics
from safelight.telemetry.await_points import crashable
from safelight.telemetry.spell import Spell
from safelight.worker.attempt import Attempt
from safelight.worker.bench import Bench
from safelight.worker.room import Room

log = structlog.get_logger(__name__)

LOOK_AGAIN_S = 2.0
"""How long a lost wake-up can delay a claim."""
AFTER_ERROR_S = 1.0
HAND_OVER_EVERY_S = 1.0
"""How often a drain looks for calls that have been accepted meanwhile."""
SETTLED_S = 10.0
"""A claim younger than this may not have reached its attempt yet."""


class LeftWithoutEnding(Exception):
    """An attempt died, and left its job without an ending, a retry or a hand-back: a defect."""


class Runner:
    """Claims for one process and runs the attempts."""

    def __init__(self, bench: Bench, *, queues: tuple[str, ...], slots: int, drain_s: float) -> None:
        self.bench, self._queues, self._slots, self._drain_s = bench, queues, slots, drain_s
        self._running: dict[tuple[int, int], tuple[Attempt, asyncio.Task[None]]] = {}
        self._slot_freed = asyncio.Event()
        self._died: asyncio.Task[None] | None = None
        self._spell = Spell(log, "claim_failed")
        self._room = Room(bench.store, bench.fetching, bench.database)

    @property
    def busy(self) -> int:
        return len(self._running)

    async def run(self) -> None:
        """Claim until cancelled; attempts go on and are ended by `drain`.

        Raises `LeftWithoutEnding` soon after an attempt died: a process that loses a job may lose the next one too.
        """
        with self.bench.hub.waiting(*(f"queue:{name}" for name in self._queues)) as waiter:
            while True:
                waiter.clear()
                self._slot_freed.clear()
                if self._died is not None:
                    raise LeftWithoutEnding(self._died.get_name())
                if self.busy >= self._slots or self._runs_suspect:
                    await self._slot_freed.wait()
                elif not await self._claim_once():
                    await waiter.wait(LOOK_AGAIN_S)

    async def drain(self) -> None:
        """Let attempts end. Accepted calls are handed over at once, others when they outlast the drain limit."""
        late = {task for _, task in self._running.values()}
        if not late:
            return
        log.info("draining", running=len(late), limit_s=self._drain_s)
        ends_s = local_s() + self._drain_s
        while late:
            self._hand_over()
            left_s = ends_s - local_s()
            _, late = await asyncio.wait(late, timeout=max(0.0, min(left_s, HAND_OVER_EVERY_S)))
            if left_s <= 0:
                break
        for attempt, task in list(self._running.values()):
            if task in late:
                attempt.drain()
        if late:
            await asyncio.wait(late, timeout=10)

    def _hand_over(self) -> None:
        """Calls that are accepted by now: a provider may take its time to name one that was being sent."""
        for attempt, _ in list(self._running.values()):
            if attempt.can_be_resumed:
                attempt.drain()

    async def reconcile(self) -> None:
        """Compare the rows this process holds with the attempts it runs.

        What nobody here works on is handed back; attempts hear whether their job is still theirs, and still wanted.
        """
        running = dict(self._running)  # what is claimed while the rows are read is not in them
        held = await self.bench.database.read(held_by, self.bench.presence.id)
        rows = {(row.number, row.fence): row for row in held}
        for key, row in rows.items():
            if row.held_s > SETTLED_S and key not in self._running:
                await self._take_back(row)
        for key, (attempt, _) in running.items():
            attempt.hear(Standing(key in rows, key in rows and rows[key].cancel_requested))

    async def _claim_once(self) -> bool:
        """Whether there may be more to claim at once."""
        if not self.bench.presence.lease_held or not await self._room.is_left():
            await asyncio.sleep(AFTER_ERROR_S)
            return True
        free = self._slots - self.busy
        claiming = asyncio.create_task(self._claim(free))
        try:
            started = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with suppress(OSError, SafelightError):
                await claiming  # what was claimed is run or handed back, never left lying
            raise
        except (OSError, SafelightError) as error:
            self._spell.met(error)
            await asyncio.sleep(AFTER_ERROR_S)
            return True
        self._spell.over()
        return started == free

    async def _claim(self, free: int) -> int:
        """Claim and start; how many. Queues take turns at being first: a backlog of one cannot starve another."""
        self._queues = (*self._queues[1:], *self._queues[:1])
        with metrics.timed(metrics.CLAIM):
            claimed = await self.bench.database.write(claim, self.bench.presence.id, self._queues, free, self._terms())
        for job in claimed:
            metrics.CLAIMED.labels(job.queue).inc()
            if job.attempt == 1:
                metrics.QUEUE_WAIT.labels(job.queue).observe(max(0.0, job.claimed_at - job.start_at))
            self._start(job)
        return len(claimed)

    @property
    def _runs_suspect(self) -> bool:
        """A job that may have ended two workers: nothing is put beside it."""
        return any(attempt.job.is_suspect for attempt, _ in self._running.values())

    def _terms(self) -> Terms:
        bench = self.bench
        here, shut = tuple(bench.providers), bench.shut_gates()
        passable = bench.passable_models() if shut else None
        return Terms(not self._running, bench.caps.now, bench.runnable_models(), here, shut, passable)

    def _start(self, job: ClaimedJob) -> None:
        key = (job.number, job.fence)
        attempt = Attempt(self.bench, job)
        task = asyncio.create_task(crashable(attempt.run()), name=f"attempt-{job.id}")
        self._running[key] = (attempt, task)
        task.add_done_callback(lambda ended: self._ended(key, ended))

    async def _take_back(self, row: Held) -> None:
        if await self.bench.database.write(take_unrun, row.number, row.fence):
            log.warning("job.not_running", number=row.number, held_s=round(row.held_s))

    def _ended(self, key: tuple[int, int], task: asyncio.Task[None]) -> None:
        del self._running[key]
        self._slot_freed.set()
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.critical("attempt_died", attempt=task.get_name(), exc_info=error)
        self._died = task
