"""Cancel: whatever state the job is in, twice, too late, or of somebody else."""

from __future__ import annotations

import json

import pytest

from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.credits import balance_of
from safelight.services.hand_back import Return, hand_back
from safelight.services.submit import submit
from safelight.services.sweep import make_ready
from safelight.store.database import Database
from tests.integration.services.scene import (
    claimed,
    complete,
    events_of,
    is_at_rest,
    job,
    running,
    scene,
    submitted,
    tag_of,
    told,
    turn_back,
    wish,
)


def test_a_waiting_job_ends_at_once_and_gets_its_hold_back(shared: Database) -> None:
    with scene(shared, credits=100) as tx:
        submitted(tx, "a", price=30)
        assert cancel(tx, "a", "ann") == "pending"
        row = job(tx, "a")
        assert is_at_rest(row)
        assert (row.status, row.error, row.cancel_requested_at) == ("canceled", None, tx.now)
        assert balance_of(tx, "ann").available == 100
        assert claim(tx, "w1", ["image"], 1) == []
        last = events_of(tx, row.number)[-1]
        assert (last.type, last.sequence, json.loads(last.payload)) == ("job.canceled", 2, {"by": "user"})


def test_a_scheduled_job_and_one_that_waits_for_a_retry_end_at_once(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "later", start_at=tx.now + 100)
        (taken,) = claimed(tx, "retry")
        hand_back(tx, Return(taken.number, taken.fence, "busy", 60, True))
        for name in ("later", "retry"):
            assert cancel(tx, name, "ann") == "pending"
            assert is_at_rest(job(tx, name))
            turn_back(tx, job(tx, name).number, "deadline_at")
        assert make_ready(tx) == 0


def test_a_running_job_is_flagged_and_keeps_its_lease(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a")
        assert cancel(tx, "a", "ann") == "processing"
        row = job(tx, "a")
        assert (row.status, row.fence, row.worker_id, row.settled) == ("processing", taken.fence, "w1", False)
        assert row.cancel_requested_at is not None
        assert told(tx, taken.number)[-1] == "cancel_requested"


def test_a_waiting_job_with_an_open_call_is_flagged_not_ended(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        hand_back(tx, Return(taken.number, taken.fence, "stopping", 0, False))
        assert cancel(tx, "a", "ann") == "processing"
        row = job(tx, "a")
        assert (row.status, row.resumes, row.settled) == ("pending", True, False)
        assert row.cancel_requested_at is not None


def test_asking_twice_changes_nothing_more(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "waits")
        (taken,) = claimed(tx, "runs", priority=1)
        for name, first, second in (("waits", "pending", "ended"), ("runs", "processing", "processing")):
            assert cancel(tx, name, "ann") == first
            after = job(tx, name)
            assert cancel(tx, name, "ann") == second
            assert job(tx, name) == after
        assert told(tx, taken.number).count("cancel_requested") == 1


def test_an_ended_job_stays_as_it_ended(shared: Database) -> None:
    with scene(shared) as tx:
        (taken,) = claimed(tx, "a")
        complete(tx, taken)
        after = job(tx, "a")
        assert cancel(tx, "a", "ann") == "ended"
        assert job(tx, "a") == after


@pytest.mark.parametrize("name", ["a", "nothing"])
def test_other_peoples_jobs_are_as_unknown_as_those_that_do_not_exist(shared: Database, name: str) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        assert cancel(tx, name, "bob") is None
        assert job(tx, "a").status == "pending"


def test_canceling_waiting_jobs_gives_their_share_of_the_queue_back(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        submit(tx, [wish(f"a{n}", share=2.0) for n in range(50)])
        assert tag_of(tx, "ann") == 100.0
        for n in range(50):
            cancel(tx, f"a{n}", "ann")
        assert tag_of(tx, "ann") == 0.0
        submitted(tx, "b", "b2", user="bob")
        submitted(tx, "now")
        assert [taken.id for taken in claim(tx, "w1", ["image"], 2)] == ["b", "now"]


def test_canceling_a_running_job_gives_no_share_back(shared: Database) -> None:
    with scene(shared) as tx:
        claimed(tx, "a", share=2.0)
        cancel(tx, "a", "ann")
        assert tag_of(tx, "ann") == 2.0
