"""Gates are locked before jobs, whoever needs both: on Postgres nobody deadlocks with who is about to send."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from safelight.domain.gates import Toll
from safelight.domain.jobs import Status
from safelight.services import gate_rows
from safelight.services.calls import CallOutcome, Sending, sending
from safelight.services.claimable import ClaimedJob
from safelight.services.finish import Ending, finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.hear import News, hear
from safelight.store import tables
from safelight.store.connect import open_database
from safelight.store.tx import Tx
from tests.integration.services.scene import claimed, set_scene

ACME = Toll("acme", "k1", daily_usd=1.0)
REFUSED = CallOutcome("call-a", "failed", error="busy")
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
WITHIN_S = 20.0

Move = Callable[[Tx, ClaimedJob], object]


def fails(tx: Tx, taken: ClaimedJob) -> object:
    return finish(tx, [Ending(taken.number, taken.fence, Status.FAILED, (), "{}", REFUSED)])


def goes_back(tx: Tx, taken: ClaimedJob) -> object:
    return hand_back(tx, Return(taken.number, taken.fence, "busy", 0.0, True, call=REFUSED))


def is_heard_of(tx: Tx, taken: ClaimedJob) -> object:
    return hear(tx, News("acme", "r-1", "call-a"))


def on_trial(tx: Tx) -> ClaimedJob:
    """A job whose call is the trial of its gate, and counts towards the day."""
    set_scene(tx)
    (taken,) = claimed(tx, "a")
    locked = gate_rows.locked(tx, [ACME])
    gate_rows.save(tx, [gate._replace(tripped_at=tx.now, trial_at=tx.now) for gate in locked.values()])
    start = Sending("call-a", taken.number, taken.fence, 1, "acme", "m", False, "w1", 0.6, ACME)
    assert sending(tx, [start]) == [True]
    return taken


def until_somebody_waits_for_a_lock(url: str) -> None:
    """Postgres tells nobody of it: it has to be asked."""
    ends = time.monotonic() + WITHIN_S
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        while connection.execute(WAITING).fetchone() != (1,):
            assert time.monotonic() < ends, "nobody waits for a lock"


@pytest.mark.parametrize("move", [fails, goes_back, is_heard_of])
def test_whoever_changes_a_gate_and_a_job_does_not_deadlock_with_who_sends(postgres_url: str, move: Move) -> None:
    with closing(open_database(postgres_url)) as here, closing(open_database(postgres_url)) as there:
        with here.transaction() as tx:
            taken = on_trial(tx)

        def other() -> None:
            with there.transaction() as tx:
                assert move(tx, taken)

        with ThreadPoolExecutor(1) as pool:
            with here.transaction() as tx:
                gate_rows.locked(tx, [ACME])
                ended = pool.submit(other)
                until_somebody_waits_for_a_lock(postgres_url)
                tx.lock(tables.jobs, [taken.number])
            ended.result(WITHIN_S)
