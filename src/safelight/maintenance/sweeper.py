"""The sweeper: reads what there is to do, and writes only on a hit. Any number of processes may run one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Concatenate, NamedTuple, ParamSpec

import structlog

from safelight.domain.clock import local_s
from safelight.maintenance.lost import LostWatch
from safelight.maintenance.recoverer import Recoverer
from safelight.services import batches, caps, durations, parking, presence, recovery_effect, sweep, usage
from safelight.services.caps import CapBook
from safelight.services.presence import Process
from safelight.store.database import Database
from safelight.store.tx import Tx

P = ParamSpec("P")
log = structlog.get_logger(__name__)

MEASURE_EVERY_S = 300.0
"""Between two looks at how long models take."""


@dataclass(frozen=True, slots=True)
class SweepRules:
    """How long a worker may take to honour a cancel, and how many jobs of one user may run in one queue."""

    patience_s: float
    caps: CapBook = field(default_factory=CapBook)


class Sweeper:
    """`run_once` does everything there is to do now. `beats` tells whether this process's own beats are written."""

    def __init__(
        self,
        database: Database,
        watch: LostWatch,
        rules: SweepRules,
        *,
        seen: Callable[[list[Process]], None],
        beats: Callable[[], bool] = lambda: True,
        recoverer: Recoverer | None = None,
    ) -> None:
        self._database, self._watch, self._rules = database, watch, rules
        self._seen, self._beats = seen, beats
        self._recoverer = recoverer or Recoverer(database)
        self._group = parking.FIRST_GROUP
        self._measure_at = local_s()
        self.sweeps_n = 0
        """How many thorough runs came to their end: the sweep's own beat, which the process's beat tells."""

    async def run_once(self, *, thorough: bool = True) -> Counter[str]:
        """Counts by outcome: processes lost and forgotten; jobs taken back, expired, canceled, let in, made ready;
        batches recounted; jobs of recoveries that are due; models of which it was measured how long they take.

        The quick form leaves deadlines and orphans to the next thorough one, unless it finds a process lost.
        """
        seen = await self._database.read(_look, self._rules.patience_s, thorough)
        now, processes, hits, of_batches = seen.now, seen.processes, seen.hits, seen.of_batches
        self._seen(processes)
        self._rules.caps.learn(seen.user_caps)
        done: Counter[str] = Counter()
        if not self._beats():
            self._watch.restart()
        for process in self._watch.lost(processes, local_s()):
            if await self._database.write(presence.declare_lost, process.id, process.beat_n):
                log.warning("worker_lost", worker=process.id, host=process.host, pid=process.pid)
                done["lost"] += 1
        if hits.due:
            done["ready"] += await self._all(sweep.make_ready)
        if hits.overdue:
            done["expired"] += await self._all(sweep.expire)
        if hits.unheeded:
            done["canceled"] += await self._all(sweep.cancel_unheeded, self._rules.patience_s)
        if hits.parked:
            done["let_in"] += await self._let_in()
        if done["lost"] or hits.orphaned:
            done["taken_back"] += await self._all(sweep.take_from_lost)
        if of_batches.unheeded:
            done["canceled"] += await self._all(batches.cancel_left_items)
        if of_batches.stale and thorough:
            done["recounted"] += await self._all(batches.recount_batches)
        if seen.recoveries:
            done["recovered"] += await self._recoverer.carry_out(seen.recoveries)
        if thorough and (old := [p.id for p in processes if presence.is_forgettable(p, now)]):
            done["forgotten"] += await self._database.write(presence.forget_lost, old)
        if thorough and local_s() >= self._measure_at:
            done["measured"] += await self._measure()
        self.sweeps_n += thorough
        if done.total():
            log.info("swept", **done)
        return done

    async def _measure(self) -> int:
        """Learn how long models take; of how many there is news."""
        self._measure_at = local_s() + MEASURE_EVERY_S
        if hours := await self._database.read(usage.news):
            await self._database.write(usage.keep, hours)
        learnt = await self._database.read(durations.news)
        return await self._database.write(durations.keep_durations, learnt) if learnt else 0

    async def _let_in(self) -> int:
        """Some groups of parked jobs each time: there may be thousands."""
        now = self._rules.caps.now
        moved, self._group = await self._database.write(parking.let_in_missed, now, self._group)
        return moved

    async def _all(self, case: Callable[Concatenate[Tx, P], int], *args: P.args, **kwargs: P.kwargs) -> int:
        """Slice by slice until nothing is left; others may write between the slices."""
        total = 0
        while (took := await self._database.write(case, *args, **kwargs)) > 0:
            total += took
            if took < sweep.SLICE:
                break
        return total


class _Seen(NamedTuple):
    """What there is to do, and what the process should know. `now` is the database's."""

    now: float
    processes: list[Process]
    hits: sweep.Hits
    of_batches: batches.Hits
    user_caps: bool
    recoveries: list[int]


def _look(tx: Tx, patience_s: float, thorough: bool) -> _Seen:
    hits = sweep.look(tx, patience_s, thorough=thorough)
    recoveries = recovery_effect.due(tx)
    return _Seen(tx.now, presence.processes(tx), hits, batches.look(tx), caps.has_exceptions(tx), recoveries)
