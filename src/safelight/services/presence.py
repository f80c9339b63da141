"""Presence: each process has one row, beats it, and takes it away when it ends in good order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.services import departures
from safelight.services.sql import FLAG, INTEGER, NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

workers, jobs = tables.workers, tables.jobs


class Registration(NamedTuple):
    """Who a process is. JSON lists are text; addresses are `host:port`."""

    id: str
    role: str
    host: str
    boot_id: str
    pid: int
    process_started: str
    url: str | None
    backend: str
    nudge_address: str | None
    queues: str
    providers: str
    slots: int
    version: str
    kinds: str = "[]"


class Beat(NamedTuple):
    """What a process says of itself with every beat."""

    id: str
    busy: int
    draining: bool
    loop_lag_ms: float
    rss_bytes: int
    sweeps_n: int = 0
    """How many sweeps it has made: where this stands still nobody sweeps there."""


class Process(NamedTuple):
    """A process as its row shows it."""

    id: str
    role: str
    host: str
    boot_id: str
    pid: int
    process_started: str
    url: str | None
    backend: str
    nudge_address: str | None
    queues: str
    providers: str
    slots: int
    busy: int
    version: str
    loop_lag_ms: float
    rss_bytes: int
    started_at: float
    beat_at: float
    beat_n: int
    draining: bool
    lost_at: float | None
    kinds: str
    sweeps_n: int
    swept_at: float | None

    @property
    def queue_names(self) -> list[str]:
        return list(json.loads(self.queues))

    @property
    def provider_names(self) -> list[str]:
        return list(json.loads(self.providers))

    @property
    def kind_names(self) -> list[str]:
        return list(json.loads(self.kinds))


FORGET_LOST_AFTER_S = 86_400.0
"""How long the row of a lost process can be looked at."""

_LOOPBACK = "127."
_SWEEPS = arg("sweeps", INTEGER)
_COLUMNS = (*Registration._fields, "started_at", "beat_at")
_REGISTER = Change(insert_or_ignore(workers, _COLUMNS), columns=_COLUMNS)
_BEAT = Change(
    sa.update(workers)
    .where(workers.c.id == arg("worker"), workers.c.lost_at.is_(None))
    .values(
        beat_n=workers.c.beat_n + 1,
        beat_at=NOW,
        busy=arg("busy_n", INTEGER),
        draining=arg("drains", FLAG),
        loop_lag_ms=arg("lag_ms", REAL),
        rss_bytes=arg("rss", INTEGER),
        sweeps_n=_SWEEPS,
        swept_at=sa.case((workers.c.sweeps_n != _SWEEPS, NOW), else_=workers.c.swept_at),
    )
)
_DEPART = Change(sa.delete(workers).where(workers.c.id == arg("worker")))
_LOSE = Change(
    sa.update(workers)
    .where(workers.c.id == arg("worker"), workers.c.beat_n == arg("seen_n", INTEGER), workers.c.lost_at.is_(None))
    .values(lost_at=NOW)
)
_holds_a_job = sa.exists().where(jobs.c.worker_id == workers.c.id, jobs.c.status == "processing")
_FORGET = Change(
    sa.delete(workers).where(workers.c.id == arg("worker"), workers.c.lost_at.is_not(None), sa.not_(_holds_a_job))
)
_ALL = Query(sa.select(*(workers.c[name] for name in Process._fields)).order_by(workers.c.started_at), Process)


def register(tx: Tx, registration: Registration) -> None:
    """Make the row of a new process. Running it twice (a commit whose outcome was lost) makes one."""
    tx.many(_REGISTER, [{**registration._asdict(), "started_at": tx.now, "beat_at": tx.now}])


def beat(tx: Tx, beat: Beat) -> bool:
    """Beat; False ends this identity: the process was declared lost or its row is gone."""
    changed = tx.run(
        _BEAT,
        worker=beat.id,
        busy_n=beat.busy,
        drains=beat.draining,
        lag_ms=beat.loop_lag_ms,
        rss=beat.rss_bytes,
        sweeps=beat.sweeps_n,
        at_now=tx.now,
    )
    return changed == 1


def depart(tx: Tx, worker_id: str, reason: str = departures.STOPPED) -> None:
    """Take the row away. Jobs the process still held, if any, are then found by the sweep."""
    departures.note_by_id(tx, worker_id, reason)
    tx.run(_DEPART, worker=worker_id)


def declare_lost(tx: Tx, worker_id: str, beat_n: int) -> bool:
    """Declare a process lost, unless it has beaten since the watcher last looked."""
    return tx.run(_LOSE, worker=worker_id, seen_n=beat_n, at_now=tx.now) == 1


def is_forgettable(process: Process, now: float) -> bool:
    """Whether a process was lost so long ago that nobody asks for it any more. `now` by the database's clock."""
    return process.lost_at is not None and now - process.lost_at > FORGET_LOST_AFTER_S


def forget_lost(tx: Tx, ids: Sequence[str]) -> int:
    """Remove the rows of lost processes; one that still has a job to be taken from it stays. Returns how many went."""
    return sum(tx.many(_FORGET, [{"worker": id} for id in ids]))


def addresses(found: Sequence[Process], *, host: str, boot_id: str) -> list[str]:
    """Where those that are not lost can be nudged from one machine: a loopback address means nothing elsewhere."""
    known = [(p.nudge_address, (p.host, p.boot_id)) for p in found if p.nudge_address and p.lost_at is None]
    return [address for address, place in known if place == (host, boot_id) or not address.startswith(_LOOPBACK)]


def processes(tx: Tx) -> list[Process]:
    """Every process with a row, oldest first."""
    return tx.all(_ALL)
