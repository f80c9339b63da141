"""Sweep: what came due becomes ready, what is overdue fails, what a dead worker held goes back to its queue."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from safelight.domain.retry import MAX_LOST
from safelight.services import presence, sweep
from safelight.services.calls import CallOutcome, end_call
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.credits import balance_of
from safelight.services.hand_back import Return, hand_back
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Query
from safelight.store.tx import Tx
from tests.integration.services.scene import (
    calls_of,
    claimed,
    complete,
    hire,
    is_at_rest,
    job,
    ledger_of,
    running,
    scene,
    submitted,
    told,
    turn_back,
)


def test_a_look_finds_nothing_where_there_is_nothing_to_do(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "waits")
        claimed(tx, "runs", priority=1)
        submitted(tx, "later", start_at=tx.now + 100)
        assert sweep.look(tx, 30.0) == sweep.Hits(0, 0, 0, 0, 0)


def test_a_look_counts_what_there_is_to_do(shared: Database) -> None:
    with scene(shared) as tx:
        claimed(tx, "runs")
        submitted(tx, "late", "later", start_at=tx.now + 100)
        turn_back(tx, job(tx, "late").number, "deadline_at")
        turn_back(tx, job(tx, "later").number, "due_at")
        presence.depart(tx, "w1")
        assert sweep.look(tx, 30.0) == sweep.Hits(due=1, overdue=1, orphaned=1, unheeded=0, parked=0)
        assert sweep.look(tx, 30.0, thorough=False) == sweep.Hits(due=1, overdue=0, orphaned=0, unheeded=0, parked=0)


def test_jobs_that_came_due_are_made_ready_once(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, *(f"j{n}" for n in range(5)), start_at=tx.now + 100)
        for n in range(3):
            turn_back(tx, job(tx, f"j{n}").number, "due_at")
        assert sweep.make_ready(tx) == 3
        assert sweep.make_ready(tx) == 0
        assert [(job(tx, f"j{n}").ready, job(tx, f"j{n}").due_at is None) for n in range(5)] == [(True, True)] * 3 + [
            (False, False)
        ] * 2


def test_a_slice_at_a_time(shared: Database) -> None:
    with scene(shared, credits=10_000) as tx:
        names = [f"j{n}" for n in range(sweep.SLICE + 30)]
        submitted(tx, *names)
        for name in names:
            turn_back(tx, job(tx, name).number, "deadline_at")
        assert sweep.look(tx, 30.0).overdue == sweep.SLICE
        assert [sweep.expire(tx) for _ in range(3)] == [sweep.SLICE, 30, 0]
        assert balance_of(tx, "ann").held == 0


def never_started(tx: Tx) -> None:
    submitted(tx, "a")


def between_tries(tx: Tx) -> None:
    (taken,) = claimed(tx, "a")
    hand_back(tx, Return(taken.number, taken.fence, "busy", 600, True))


def while_running(tx: Tx) -> None:
    running(tx, "a")


@pytest.mark.parametrize(
    ("history", "says"),
    [
        (never_started, "No worker took it"),
        (between_tries, "waiting for another try"),
        (while_running, "still running"),
    ],
)
def test_a_job_past_its_deadline_fails_with_the_reason_and_its_hold_back(
    shared: Database, history: object, says: str
) -> None:
    with scene(shared, credits=100) as tx:
        history(tx)  # type: ignore[operator]
        number = job(tx, "a").number
        turn_back(tx, number, "deadline_at")
        assert sweep.expire(tx) == 1
        assert sweep.expire(tx) == 0
        row = job(tx, "a")
        assert is_at_rest(row)
        assert (row.status, row.captured) == ("failed", 0)
        error = json.loads(row.error)
        assert (error["code"], error["retryable"]) == ("deadline_exceeded", True)
        assert says in error["message"]
        assert error["remedy"]
        assert [line.kind for line in ledger_of(tx, number)] == ["hold", "release"]
        assert balance_of(tx, "ann").available == 100
        assert told(tx, number)[-1] == "failed"


def test_a_deadline_does_not_touch_what_has_ended_or_has_time_left(shared: Database) -> None:
    with scene(shared) as tx:
        (done,), (runs,) = claimed(tx, "done"), claimed(tx, "runs")
        complete(tx, done)
        turn_back(tx, done.number, "deadline_at")
        turn_back(tx, runs.number, "deadline_at", -1)
        assert sweep.expire(tx) == 0
        assert (job(tx, "done").status, job(tx, "runs").status) == ("completed", "processing")


def test_until_the_sweep_has_taken_the_job_finishing_wins_and_after_it_it_loses(shared: Database) -> None:
    with scene(shared) as tx:
        (quick,), (slow,) = claimed(tx, "quick"), claimed(tx, "slow")
        for taken in (quick, slow):
            turn_back(tx, taken.number, "deadline_at")
        assert complete(tx, quick)
        assert sweep.expire(tx) == 1
        assert not complete(tx, slow)
        assert (job(tx, "quick").status, job(tx, "slow").status) == ("completed", "failed")


def test_a_call_that_is_open_at_the_deadline_stays_open_for_whoever_learns_more(shared: Database) -> None:
    with scene(shared) as tx:
        local, paid = running(tx, "local"), running(tx, "paid", repeatable=False)
        for taken in (local, paid):
            turn_back(tx, taken.number, "deadline_at")
        assert sweep.expire(tx) == 2
        assert [calls_of(tx, taken.number)[0].state for taken in (local, paid)] == ["failed", "sending"]
        assert end_call(tx, [CallOutcome("call-paid", "succeeded", 0.3)]) == [True]


@pytest.mark.parametrize("loss", ["declared", "departed"])
def test_jobs_of_a_worker_that_is_no_more_are_ready_again_with_no_attempt_used(shared: Database, loss: str) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        orphans = claimed(tx, *"abc")
        (kept,) = claimed(tx, "kept", worker="w2")
        if loss == "declared":
            assert presence.declare_lost(tx, "w1", 0)
        else:
            presence.depart(tx, "w1")
        assert sweep.take_from_lost(tx) == 3
        assert sweep.take_from_lost(tx) == 0
        for orphan in orphans:
            row = job(tx, orphan.id)
            assert (row.status, row.ready, row.attempt, row.lost_n, row.worker_id) == ("pending", True, 0, 1, None)
            assert row.fence == orphan.fence + 1
            assert told(tx, row.number) == ["submitted", "started", "requeued"]
        assert job(tx, "kept").fence == kept.fence
        assert not complete(tx, orphans[0])


def test_a_job_that_lost_its_worker_too_often_is_given_up(shared: Database) -> None:
    with scene(shared, credits=100, workers=()) as tx:
        submitted(tx, "poison", "healthy")
        for n in range(MAX_LOST):
            hire(tx, f"v{n}")
            (taken,) = claim(tx, f"v{n}", ["image"], 1)
            assert (taken.id, taken.attempt) == ("poison", 1)
            presence.declare_lost(tx, f"v{n}", 0)
            assert sweep.take_from_lost(tx) == 1
        row = job(tx, "poison")
        assert is_at_rest(row)
        error = json.loads(row.error)
        assert (row.status, error["code"]) == ("failed", "retries_exhausted")
        assert f"{MAX_LOST} workers" in error["message"]
        assert told(tx, row.number)[-1] == "failed"
        assert balance_of(tx, "ann").held == 10


def test_a_lost_job_that_was_to_be_canceled_ends_as_canceled(shared: Database) -> None:
    with scene(shared) as tx:
        running(tx, "local")
        running(tx, "paid", repeatable=False)
        for name in ("local", "paid"):
            cancel(tx, name, "ann")
        presence.declare_lost(tx, "w1", 0)
        assert sweep.take_from_lost(tx) == 2
        assert job(tx, "local").status == "canceled"
        assert is_at_rest(job(tx, "local"))
        assert (job(tx, "paid").status, job(tx, "paid").resumes) == ("pending", True)


def test_a_job_is_left_alone_if_its_worker_turns_out_to_be_live(
    shared: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Postgres may judge a worker that registers and claims while the first look runs by what was there before.
    stale = Query(sa.select(tables.jobs.c.number).where(tables.jobs.c.status == "processing"), sweep._Number)
    monkeypatch.setattr(sweep, "_ORPHANS", stale)
    with scene(shared, workers=("w1", "w2")) as tx:
        (kept,) = claimed(tx, "kept")
        claimed(tx, "gone", worker="w2")
        presence.depart(tx, "w2")
        assert sweep.take_from_lost(tx) == 1
        assert (job(tx, "kept").status, job(tx, "kept").fence) == ("processing", kept.fence)
        assert job(tx, "gone").status == "pending"


def test_a_job_held_but_not_run_goes_back_as_if_its_worker_were_lost(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a")
        assert not sweep.take_unrun(tx, taken.number, taken.fence - 1)
        assert sweep.take_unrun(tx, taken.number, taken.fence)
        row = job(tx, "a")
        assert (row.status, row.lost_n, row.attempt) == ("pending", 1, 0)
        assert [call.state for call in calls_of(tx, taken.number)] == ["failed"]


def test_a_job_nobody_ever_runs_is_given_up_in_the_end(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        for _ in range(MAX_LOST):
            (taken,) = claim(tx, "w1", ["image"], 1)
            sweep.take_unrun(tx, taken.number, taken.fence)
        assert (job(tx, "a").status, json.loads(job(tx, "a").error)["code"]) == ("failed", "retries_exhausted")
