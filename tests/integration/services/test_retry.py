"""Retry now: only a job between two tries is due at once."""

from __future__ import annotations

from safelight.services.claim import claim
from safelight.services.hand_back import Return, hand_back
from safelight.services.retry import retry_now
from safelight.store.database import Database
from safelight.store.tx import Tx
from tests.integration.services.scene import claimed, complete, job, running, scene, submitted, told


def backing_off(tx: Tx, name: str, *, uses_attempt: bool = True) -> None:
    (taken,) = claimed(tx, name)
    assert hand_back(tx, Return(taken.number, taken.fence, "It was busy.", 300.0, uses_attempt))


def test_a_job_between_two_tries_is_due_now(shared: Database) -> None:
    with scene(shared) as tx:
        backing_off(tx, "a")
        assert claim(tx, "w1", ["image"], 1) == []
        assert retry_now(tx, "a", "ann")
        assert (job(tx, "a").ready, job(tx, "a").due_at) == (True, None)
        assert told(tx, job(tx, "a").number)[-1] == "requeued"
        assert [taken.attempt for taken in claim(tx, "w1", ["image"], 1)] == [2]


def test_one_whose_provider_was_busy_is_due_now_too(shared: Database) -> None:
    with scene(shared) as tx:
        backing_off(tx, "a", uses_attempt=False)
        assert job(tx, "a").attempt == 0
        assert retry_now(tx, "a", "ann")


def test_one_with_an_open_call_goes_on_with_that(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        hand_back(tx, Return(taken.number, taken.fence, "It was cut off.", 300.0, True))
        assert retry_now(tx, "a", "ann")
        assert (job(tx, "a").ready, job(tx, "a").resumes) == (False, True)


def test_nothing_else_can_be_hurried(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        (done,) = claimed(tx, "done")
        complete(tx, done)
        claimed(tx, "running")
        backing_off(tx, "theirs")
        submitted(tx, "waiting")
        submitted(tx, "later", start_at=tx.now + 500)
        before = [job(tx, name) for name in ("done", "running", "waiting", "later", "theirs")]
        assert not any(retry_now(tx, name, "ann") for name in ("done", "running", "waiting", "later", "none"))
        assert not retry_now(tx, "theirs", "bob")
        assert [job(tx, row.id) for row in before] == before
