"""The sweeper: reads what there is to do, and writes only on a hit. Any number of processes may run one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import structlog

from safelight.domain.clock import local_s
from safelight.maintenance.lost import LostWatch
from safelight.services import batches, presence, sweep
from safelight.services.presence import Process
from safelight.store.database import Database
from safelight.store.tx import Tx

log = structlog.get_logger(__name__)


class Sweeper:
    """`run_once` does everything there is to do now. `beats` tells whether this process's own beats are written."""

    def __init__(
        self,
        database: Database,
        watch: LostWatch,
        *,
        seen: Callable[[list[Process]], None],
        beats: Callable[[], bool] = lambda: True,
    ) -> None:
        self._database, self._watch, self._seen, self._beats = database, watch, seen, beats
        self.sweeps_n = 0
        """How many thorough runs came to their end: the sweep's own beat, which the process's beat tells."""

    async def run_once(self, *, thorough: bool = True) -> Counter[str]:
        """Counts by outcome: processes lost, jobs taken back, expired, made ready, batches repaired,
        processes forgotten.

        The quick form leaves deadlines and orphans to the next thorough one, unless it finds a process lost.
        """
        now, processes, hits, of_batches = await self._database.read(_look)
        self._seen(processes)
        done: Counter[str] = Counter()
        if not self._beats():
            self._watch.restart()
        for process in self._watch.lost(processes, local_s()):
            if await self._database.write(presence.declare_lost, process.id, process.beat_n):
                log.warning("worker_lost", worker=process.id, host=process.host, pid=process.pid)
                done["lost"] += 1
        if hits.due:
            done["ready"] += await self._all(sweep.make_ready)
        if hits.overdue and thorough:
            done["expired"] += await self._all(sweep.expire)
        if done["lost"] or (hits.orphaned and thorough):
            done["taken_back"] += await self._all(sweep.take_from_lost)
        if of_batches.unheeded:
            done["canceled"] += await self._all(batches.cancel_unheeded)
        if of_batches.stale and thorough:
            done["recounted"] += await self._all(batches.recount_batches)
        if thorough and (old := [p.id for p in processes if presence.is_forgettable(p, now)]):
            done["forgotten"] += await self._database.write(presence.forget_lost, old)
        self.sweeps_n += thorough
        if done.total():
            log.info("swept", **done)
        return done

    async def _all(self, case: Callable[[Tx], int]) -> int:
        """Slice by slice until nothing is left; others may write between the slices."""
        total = 0
        while (took := await self._database.write(case)) > 0:
            total += took
            if took < sweep.SLICE:
                break
        return total


def _look(tx: Tx) -> tuple[float, list[Process], sweep.Hits, batches.Hits]:
    return tx.now, presence.processes(tx), sweep.look(tx), batches.look(tx)
