"""Claim: a worker takes jobs of its queues: first those with an open call, then ready ones by priority and fair share.

What it cannot take it leaves alone, but for three sorts that would stand in everybody's way: jobs of a user who has as
many running as allowed are parked, so are those that only shut gates could be asked for, and a job that was running
when two workers were lost is claimed alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import EventType
from safelight.services import events, gate_parking, parents, parking
from safelight.services.caps import NO_CAPS, Caps
from safelight.services.claimable import (
    CANDIDATES,
    CLAIM_SUSPECTS,
    CLAIM_THESE,
    READY,
    RESERVE,
    RESERVED,
    RESUMES,
    SUSPECTS,
    SUSPECTS_ALIKE,
    Candidate,
    ClaimedJob,
    Suspect,
)
from safelight.services.gate_parking import ShutGate
from safelight.services.sql import REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

queues, workers = tables.queues, tables.workers

ROUNDS = 3
"""How often one claim parks and looks again; what is left then is the next claim's, which is woken at once."""


PARTS = 4
"""Of many suspects that fourth part is tried together, and if its worker is lost too, a fourth of that again."""


class Terms(NamedTuple):
    """What a worker can take. Without `models` it takes any; `providers`: where jobs may be pinned, or have a call."""

    idle: bool = True
    """Whether it runs nothing now."""
    caps: Caps = NO_CAPS
    """How many jobs of one user may run in one queue."""
    models: tuple[str, ...] | None = None
    providers: tuple[str, ...] = ()
    shut: tuple[ShutGate, ...] = ()
    """Gates that let nothing through now."""
    open_models: tuple[str, ...] | None = None
    """Of `models` those that can be called for in spite of them; None means all."""


class _WorkerRow(NamedTuple):
    id: str


class _QueueRow(NamedTuple):
    name: str
    paused_at: float | None


_LIVE_WORKER = Query(
    sa.select(workers.c.id)
    .where(workers.c.id == arg("worker"), workers.c.lost_at.is_(None), sa.not_(workers.c.draining))
    .with_for_update(read=True),
    _WorkerRow,
)
_QUEUE = Query(
    sa.select(queues.c.name, queues.c.paused_at).where(queues.c.name == arg("line")).with_for_update(), _QueueRow
)
_ADVANCE_CLOCK = Change(
    sa.update(queues)
    .where(queues.c.name == arg("line"), queues.c.clock < arg("reached", REAL))
    .values(clock=arg("reached", REAL))
)


ANY_JOB = Terms()


def claim(tx: Tx, worker_id: str, lines: Sequence[str], slots: int, terms: Terms = ANY_JOB) -> list[ClaimedJob]:
    """Take up to `slots` jobs from the queues named, in the order named; none unless the worker's row is live.

    Suspect jobs come apart from others, to a worker that runs nothing else; a busy worker that met one takes nothing
    until then. A few come alone each; of many, as after a power cut, a part comes together.
    """
    if tx.one(_LIVE_WORKER, worker=worker_id) is None:
        return []
    found = [tx.one(_QUEUE, line=line) for line in sorted(lines)]  # locked in one order by everybody
    by_name = {queue.name: queue for queue in found if queue}
    claiming = _Claiming(tx, worker_id, slots, terms)
    claiming.take_from([by_name[line] for line in lines if line in by_name])
    events.append(
        tx,
        [
            events.NewEvent(
                j.number, j.id, j.user_id, j.sequence, EventType.STARTED, {"attempt": j.attempt}, j.callback
            )
            for j in claiming.taken
        ],
    )
    parents.start(tx, {j.parent for j in claiming.taken if j.parent is not None})
    return claiming.taken


class _Claiming:
    """One claim while it fills its slots."""

    def __init__(self, tx: Tx, worker_id: str, slots: int, terms: Terms) -> None:
        self._tx, self._worker_id, self._slots, self._terms = tx, worker_id, slots, terms
        self.taken: list[ClaimedJob] = []

    @property
    def _room(self) -> int:
        return self._slots - len(self.taken)

    def take_from(self, queues: Sequence[_QueueRow]) -> None:
        if self._room <= 0 or self._take_reserved(queues) or self._meet_suspect(queues):
            return
        for queue in queues:
            if self._room > 0:
                self.taken += self._resumed(queue)
            if self._room > 0 and queue.paused_at is None:
                self._take_ready(queue)

    def _take_reserved(self, queues: Sequence[_QueueRow]) -> bool:
        """Whether a suspect job waits for this worker, in no paused queue: then nothing else is taken."""
        open_lines = [queue.name for queue in queues if queue.paused_at is None]
        reserved = self._tx.one(RESERVED, reason=parking.reserved(self._worker_id), open_lines=open_lines)
        if reserved is not None and self._terms.idle:
            self._take_suspects(reserved, paused=reserved.queue not in open_lines)
        return reserved is not None

    def _meet_suspect(self, queues: Sequence[_QueueRow]) -> bool:
        for queue in queues:
            paused = queue.paused_at is not None
            for suspect in self._suspects(queue.name, paused=paused, at_most=1):
                if self._terms.idle:
                    self._take_suspects(suspect, paused=paused)
                else:
                    self._tx.run(RESERVE, job=suspect.number, reason=parking.reserved(self._worker_id))
                return True
        return False

    def _suspects(self, line: str, *, paused: bool, at_most: int, least_lost: int = 0) -> list[Suspect]:
        given = {"line": line, "paused": paused, "at_most": at_most, "least_lost": least_lost, "at_now": self._tx.now}
        return self._tx.all(SUSPECTS[self._chooses], **given, **self._choice())

    def _take_suspects(self, first: Suspect, *, paused: bool) -> None:
        """The first, and where there are many alike a part of them: a fourth, and of those that are lost again less."""
        alike = self._tx.all(SUSPECTS_ALIKE, line=first.queue, times_lost=first.lost_n)[0].n
        others = min(self._room, alike // PARTS ** (first.lost_n - 1)) - 1
        numbers = [first.number]
        if others > 0:
            found = self._suspects(first.queue, paused=paused, at_most=others + 1, least_lost=first.lost_n)
            numbers += [s.number for s in found if s.lost_n == first.lost_n and s.number != first.number][:others]
        given = {"worker": self._worker_id, "at_now": self._tx.now}
        self.taken += self._tx.all(CLAIM_SUSPECTS, numbers=numbers, **given)

    def _resumed(self, queue: _QueueRow) -> list[ClaimedJob]:
        providers = {"providers": list(self._terms.providers)} if self._chooses else {}
        return self._tx.all(RESUMES[self._chooses], slots=self._room, **self._given(queue), **providers)

    def _take_ready(self, queue: _QueueRow) -> None:
        if self._terms.shut and not self._park_behind_gates(queue):
            self._tx.wake(f"queue:{queue.name}")  # to look again: there is more to park before others are met
            return
        ready = self._capped(queue) if self._terms.caps.there_are_any else self._uncapped(queue)
        self.taken += sorted(ready, key=lambda job: (-job.priority, job.vstart, job.number))
        # What was given priority does not move the clock: it would push back everybody who comes later.
        if usual := [job.vstart for job in ready if job.priority <= 0]:
            self._tx.run(_ADVANCE_CLOCK, line=queue.name, reached=max(usual))

    def _park_behind_gates(self, queue: _QueueRow) -> bool:
        """Whether the front of the queue is clear of jobs that could not be called for; a part of many at once."""
        for gate in self._terms.shut:
            for _ in range(ROUNDS):
                if gate_parking.park(self._tx, queue.name, gate) < parking.PARK_AT_ONCE:
                    break
            else:
                return False
        return True

    def _uncapped(self, queue: _QueueRow) -> list[ClaimedJob]:
        return self._tx.all(READY[self._chooses], slots=self._room, **self._given(queue), **self._choice())

    def _capped(self, queue: _QueueRow) -> list[ClaimedJob]:
        """Pick, park the jobs of users who have enough running, and look again."""
        caps, running, ready = dict[str, int | None](), Counter[str](), list[ClaimedJob]()
        for _ in range(ROUNDS):
            room = self._room - len(ready)
            found = self._tx.all(CANDIDATES[self._chooses], line=queue.name, slots=room, **self._choice())
            new = {candidate.user_id for candidate in found} - caps.keys()
            caps |= self._terms.caps.of(self._tx, sorted(new))
            for user in new:
                running[user] = 0 if caps[user] is None else parking.running(self._tx, queue.name, user)
            chosen, over = _within(caps, running, found)
            if chosen:
                ready += self._tx.all(CLAIM_THESE, numbers=chosen, worker=self._worker_id, at_now=self._tx.now)
            for user in over:
                parking.park(self._tx, queue.name, user)
            if not over or len(ready) >= self._room:
                return ready
        self._tx.wake(f"queue:{queue.name}")  # there may be others behind those that were parked
        return ready

    @property
    def _chooses(self) -> bool:
        return self._terms.models is not None

    def _choice(self) -> dict[str, list[str]]:
        if self._terms.models is None:
            return {}
        terms, shut = self._terms, {gate.provider for gate in self._terms.shut}
        return {
            "models": list(self._terms.models if terms.open_models is None else terms.open_models),
            "known": list(self._terms.models),
            "pins": [provider for provider in terms.providers if provider not in shut],
            "providers": list(terms.providers),
        }

    def _given(self, queue: _QueueRow) -> dict[str, Any]:
        return {"worker": self._worker_id, "line": queue.name, "at_now": self._tx.now}


def _within(
    caps: Mapping[str, int | None], running: Counter[str], found: Sequence[Candidate]
) -> tuple[list[int], list[str]]:
    """Whom to take in the order found, counting them as running; and the users who are over their cap."""
    chosen, over = list[int](), dict[str, None]()
    for candidate in found:
        cap = caps[candidate.user_id]
        if cap is None or running[candidate.user_id] < cap:
            running[candidate.user_id] += 1
            chosen.append(candidate.number)
        else:
            over[candidate.user_id] = None
    return chosen, list(over)
