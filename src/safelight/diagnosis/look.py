"""One consistent look at the rows of an installation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from safelight.diagnosis import look_deliveries, look_jobs, look_spending
from safelight.diagnosis.facts import Group, ModelWait, QueueFacts, Rows, WorkerFacts
from safelight.domain.gates import Toll
from safelight.services import closing_time, durations, presence
from safelight.services.departures import last_departures
from safelight.services.durations import Duration
from safelight.services.pause import QueueRow, queue_rows
from safelight.services.presence import Process
from safelight.services.provider_board import Board, board
from safelight.services.required_version import required_version
from safelight.store.tx import Tx

COUNT_HELD = 50_000
"""With more jobs alive than this the credits they hold are not added up: `safelight credits audit` does."""
IsLive = Callable[[Process, float], bool]
"""Whether a process lives, at a time by the database's clock."""


class Look(NamedTuple):
    rows: Rows
    board: Board
    models_in_use: frozenset[str]


def look(tx: Tx, tolls: Sequence[Toll], is_live: IsLive, grace_s: float, slow_times: float = 2.0) -> Look:
    """Reads only. `grace_s`: how long after its deadline a job may be left alone."""
    now = tx.now
    learnt = durations.known(tx)
    queues = _queues(tx)
    live = Group(sum(queue.waiting + queue.delayed + queue.running for queue in queues))
    by_accounts, by_jobs = look_jobs.held(tx) if live.jobs <= COUNT_HELD else (0, 0)
    waits = tuple(wait for queue in queues if queue.ready for wait in look_jobs.waits(tx, queue.name))
    queues = tuple(queue._replace(usual_s=_usual_s(queue, waits, learnt)) for queue in queues)
    notice = closing_time.notice(tx)
    rows = Rows(
        now=now,
        queues=queues,
        workers=tuple(WorkerFacts(process, is_live(process, now)) for process in presence.processes(tx)),
        past_deadline=look_jobs.past_deadline(tx, grace_s),
        waits=waits,
        ended=tuple(look_jobs.ended(tx)),
        slow=tuple(look_jobs.slow(tx, slow_times)),
        spending=look_spending.spending(tx),
        receivers=tuple(look_deliveries.receivers(tx)),
        held_by_accounts=by_accounts,
        held_by_jobs=by_jobs,
        jobs_ever=look_jobs.newest_number(tx),
        live_jobs=live,
        departed=last_departures(tx),
        required_version=required_version(tx),
        maintenance=None if notice is None else notice.message,
    )
    used = {*learnt, *(wait.model for wait in waits)}
    return Look(rows, board(tx, tolls), frozenset(used))


def _queues(tx: Tx) -> tuple[QueueFacts, ...]:
    waiting, rates = look_jobs.waiting(tx), look_jobs.per_minute(tx)
    return tuple(_queue(row, waiting.get(row.name), rates.get(row.name, 0.0)) for row in queue_rows(tx))


def _usual_s(queue: QueueFacts, waits: Sequence[ModelWait], learnt: Mapping[str, Duration]) -> float | None:
    """On average over the models of which it is known."""
    known = [(w.jobs, learnt[w.model].p50_s) for w in waits if w.queue == queue.name and w.model in learnt]
    jobs = sum(n for n, _ in known)
    return sum(n * usual_s for n, usual_s in known) / jobs if jobs else None


def _queue(row: QueueRow, waiting: look_jobs.Waiting | None, rate: float) -> QueueFacts:
    since, credits = (waiting.since, waiting.credits) if waiting else (None, 0)
    return QueueFacts(*row, waiting_since=since, credits_held=credits, per_minute=rate)
