"""A paused queue: nothing that waits is claimed, what runs goes on, and nobody's deadline pays for the pause."""

from __future__ import annotations

import pytest

from safelight.services import pause as cases
from safelight.services import sweep
from safelight.services.claim import claim
from safelight.services.hand_back import Return, hand_back
from safelight.services.pause import pause, queue_rows
from safelight.store.database import Database
from safelight.store.tx import Tx
from tests.integration.services.scene import claimed, job, running, scene, submitted, turn_back
from tests.integration.services.scene import pause as paused_just_now

HOUR_S = 3600.0


def resume(tx: Tx, queue: str) -> int | None:
    """All slices at once: how many deadlines were moved."""
    moved = 0
    while done := cases.resume(tx, queue):
        moved += done.moved
        if done.goes_on:
            return moved
    return None


def test_a_paused_queue_is_not_claimed_from_until_it_goes_on(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        assert pause(tx, "image", "the provider is down") is True
        assert claim(tx, "w1", ["image"], 1) == []
        (row,) = [row for row in queue_rows(tx) if row.name == "image"]
        assert (row.pause_reason, row.ready, row.running) == ("the provider is down", 1, 0)
        assert resume(tx, "image") is not None
        assert [taken.id for taken in claim(tx, "w1", ["image"], 1)] == ["a"]


def test_pausing_twice_keeps_the_first_time_and_an_unknown_queue_is_said_to_be_unknown(shared: Database) -> None:
    with scene(shared) as tx:
        assert (pause(tx, "image", "first"), pause(tx, "image", "second")) == (True, False)
        assert [row.pause_reason for row in queue_rows(tx) if row.name == "image"] == ["first"]
        assert (pause(tx, "nowhere", None), resume(tx, "nowhere")) == (None, None)


def test_the_pause_is_added_to_the_deadlines_of_jobs_that_never_started(shared: Database) -> None:
    with scene(shared) as tx:
        tried = claimed(tx, "tried")[0]
        hand_back(tx, Return(tried.number, tried.fence, "busy", 60, True))
        submitted(tx, "early", max_wait_s=10 * HOUR_S)
        submitted(tx, "elsewhere", queue="video")
        submitted(tx, "scheduled", start_at=tx.now + 7200)
        for name in ("early", "elsewhere"):
            turn_back(tx, job(tx, name).number, "start_at", HOUR_S)
        before = {name: job(tx, name).deadline_at for name in ("tried", "early", "elsewhere", "scheduled")}
        paused_just_now(tx, since_s=1800.0)
        assert resume(tx, "image") == 1
        shifts = {name: job(tx, name).deadline_at - was for name, was in before.items()}
        assert shifts["early"] == pytest.approx(1800.0, abs=5.0)
        assert (shifts["tried"], shifts["elsewhere"], shifts["scheduled"]) == (0.0, 0.0, 0.0)


def test_a_job_does_not_pay_for_a_pause_that_outlasts_its_deadline(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", max_wait_s=60.0)
        turn_back(tx, job(tx, "a").number, "start_at", HOUR_S)
        turn_back(tx, job(tx, "a").number, "deadline_at", 10.0)
        paused_just_now(tx, since_s=1800.0)
        assert (sweep.look(tx, 30.0).overdue, sweep.expire(tx)) == (0, 0)
        assert resume(tx, "image") == 1
        assert job(tx, "a").deadline_at > tx.now
        assert sweep.expire(tx) == 0


def test_a_job_that_has_run_before_ends_at_its_deadline_although_its_queue_is_paused(shared: Database) -> None:
    with scene(shared) as tx:
        taken = claimed(tx, "a")[0]
        hand_back(tx, Return(taken.number, taken.fence, "busy", 60, True))
        pause(tx, "image", None)
        turn_back(tx, taken.number, "deadline_at")
        assert sweep.expire(tx) == 1


def test_a_job_whose_provider_works_already_is_resumed_past_the_pause(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        pause(tx, "image", None)
        hand_back(tx, Return(taken.number, taken.fence, "drain", 0, False))
        assert [j.id for j in claim(tx, "w1", ["image"], 1)] == ["a"]


def test_many_deadlines_are_moved_a_slice_at_a_time_each_once_and_the_queue_rests_until_the_last(
    shared: Database,
) -> None:
    with scene(shared) as tx:
        names = [f"j{n}" for n in range(cases.SLICE + 20)]
        submitted(tx, *names, price=0)
        for n, name in enumerate(names):
            turn_back(tx, job(tx, name).number, "start_at", HOUR_S)
            turn_back(tx, job(tx, name).number, "deadline_at", -HOUR_S - n // 2)
        before = {name: job(tx, name).deadline_at for name in names}
        paused_just_now(tx, since_s=1800.0)
        first = cases.resume(tx, "image")
        assert first is not None
        assert (first.moved >= cases.SLICE, first.goes_on) == (True, False)
        assert claim(tx, "w1", ["image"], 1) == []
        rest = resume(tx, "image")
        assert rest is not None
        assert first.moved + rest == len(names)
        shifts = {job(tx, name).deadline_at - was for name, was in before.items()}
        assert max(shifts) - min(shifts) < 60.0
        assert min(shifts) == pytest.approx(1800.0, abs=60.0)
        assert len(claim(tx, "w1", ["image"], 1)) == 1
