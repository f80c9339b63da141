"""Recover step by step: the operator sees the plan first, then each slice is a short transaction of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from safelight.domain.errors import Conflict, Remedy
from safelight.services import outage, recover
from safelight.services.presence import Process, processes
from safelight.store.tx import Tx

Transaction = Callable[[], AbstractContextManager[Tx]]
IsLive = Callable[[Process, float], bool]
"""Whether a process beats at this moment of the database's clock."""


@dataclass
class Recovered:
    """What was done after a restore."""

    queues: int = 0
    processing: int = 0
    unknown: int = 0
    unsent_failed: int = 0


def refuse_while_processes_beat(tx: Tx, is_live: IsLive) -> None:
    """Raises Conflict: what is restored or recovered under a running process would be half of it."""
    now = tx.now
    for process in processes(tx):
        if is_live(process, now):
            raise Conflict(
                f"{process.role} {process.host}/{process.pid} works on this database.",
                remedy=Remedy("Stop all of its processes first. One that was killed counts for one more lease."),
                evidence={"host": process.host, "pid": process.pid, "beat_at": process.beat_at},
            )


def recover_after_restore(transaction: Transaction, *, fail_unsent: bool) -> Recovered:
    """Everything that `recover.plan` tells; run again after a crash, it does the rest."""
    done = Recovered()
    with transaction() as tx:
        done.queues = recover.close_doors(tx)
    last: int | None = 0
    while last is not None:
        with transaction() as tx:
            taken = recover.recover_slice(tx, last, fail_unsent=fail_unsent)
        last = taken.last
        done.processing += taken.processing
        done.unknown += taken.unknown
        done.unsent_failed += taken.unsent
    return done


def recover_after_outage(transaction: Transaction, outage_s: float, *, dry_run: bool) -> int:
    """Shift the deadlines of jobs that never started; how many there are. Not to be repeated: it would shift again."""
    total, last = 0, 0
    while True:
        with transaction() as tx:
            waiting = outage.waiting_slice(tx, last)
            if not waiting:
                return total
            total += len(waiting) if dry_run else outage.shift_deadlines(tx, waiting, outage_s)
        last = waiting[-1]
