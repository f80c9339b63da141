"""When work would begin that is not submitted yet, as far as can be told: by queue, with what it would wait for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from safelight.domain.gates import Shut
from safelight.services import gate_words, parking, read_jobs, shares
from safelight.services.credits import balance_of
from safelight.services.job_pages import FIRST_PAGE
from safelight.services.waiting_words import NOBODY, PARKED, PAUSED
from safelight.store.tx import Tx

LONG_LINE = f"more than {read_jobs.COUNT_AHEAD} jobs before it"


class Line(NamedTuple):
    """What one request would put into a queue. `providers`: for each of its models, those that could make it."""

    queue: str
    user_id: str
    priority: int
    providers: tuple[frozenset[str], ...]
    cap: int | None = None
    """How many jobs of its user may run in this queue."""


class Prospect(NamedTuple):
    """`wait_s` until its first job begins; None where that cannot be said, and then mostly `waiting_for` says why."""

    wait_s: float | None
    waiting_for: str | None
    slots: int


class Seen(NamedTuple):
    now: float
    available: int
    """Credits of the user."""
    prospects: dict[str, Prospect]
    """By queue."""


def prospects(tx: Tx, user_id: str, lines: list[Line]) -> Seen:
    """Reads only."""
    shut = gate_words.shut_gates(tx)
    found = {line.queue: _prospect(tx, line, shut) for line in lines}
    return Seen(tx.now, balance_of(tx, user_id).available, found)


def _prospect(tx: Tx, line: Line, shut: Mapping[str, Shut]) -> Prospect:
    turn = shares.next_start(tx, line.queue, line.user_id)
    place = read_jobs.place(tx, line.queue, own_priority=line.priority, own_vstart=turn, own_number=FIRST_PAGE)
    slots = place.slots if line.cap is None else min(place.slots, line.cap)
    if place.queue_paused:
        return Prospect(None, PAUSED, slots)
    if not place.slots:
        return Prospect(None, NOBODY, 0)
    if stuck := next((names for names in line.providers if names and names <= shut.keys()), None):
        provider = min(stuck)
        return Prospect(None, gate_words.words(provider, shut[provider]), slots)
    if line.cap is not None and parking.running(tx, line.queue, line.user_id) >= line.cap:
        return Prospect(None, PARKED["user"], slots)
    if place.ahead >= read_jobs.COUNT_AHEAD:
        return Prospect(None, LONG_LINE, slots)
    return Prospect(read_jobs.wait_s(place), None, slots)
