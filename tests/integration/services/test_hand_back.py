"""Hand back: a job waits again, now or later, and ends if somebody wanted it canceled meanwhile."""

from __future__ import annotations

import json

import pytest

from safelight.domain.clock import as_rfc3339
from safelight.services.calls import CallOutcome
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.hand_back import Return, hand_back
from safelight.services.sweep import make_ready
from safelight.store.database import Database
from tests.integration.services.scene import (
    calls_of,
    claimed,
    complete,
    events_of,
    is_at_rest,
    job,
    ledger_of,
    running,
    scene,
    told,
    turn_back,
)


def test_a_retry_waits_until_it_is_due_and_has_used_an_attempt(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a")
        failed = CallOutcome("call-a", "failed", error="503")
        later = Return(taken.number, taken.fence, "503", 40.0, True, call=failed, error_code="unavailable")
        assert hand_back(tx, later)
        row = job(tx, "a")
        assert (row.status, row.stage, row.ready, row.worker_id, row.attempt) == ("pending", "queued", False, None, 1)
        assert row.due_at == pytest.approx(tx.now + 40)
        assert (row.fence, row.progress, row.settled) == (taken.fence + 1, 0.0, False)
        assert claim(tx, "w1", ["image"], 1) == []
        assert told(tx, taken.number) == ["submitted", "started", "retrying"]
        payload = json.loads(events_of(tx, taken.number)[-1].payload)
        assert payload == {"reason": "503", "code": "unavailable", "due_at": as_rfc3339(row.due_at)}
        assert [(call.state, call.error) for call in calls_of(tx, taken.number)] == [("failed", "503")]

        turn_back(tx, taken.number, "due_at")
        assert make_ready(tx) == 1
        (again,) = claim(tx, "w1", ["image"], 1)
        assert (again.attempt, again.fence) == (2, taken.fence + 2)


def test_a_later_claim_keeps_the_deadline_of_the_first(shared: Database) -> None:
    with scene(shared) as tx:
        (taken,) = claimed(tx, "a", run_limit_s=100)
        turn_back(tx, taken.number, "deadline_at", -30)
        hand_back(tx, Return(taken.number, taken.fence, "why", 0, True))
        (again,) = claim(tx, "w1", ["image"], 1)
        assert again.seconds_left == pytest.approx(30)


def test_a_drained_job_is_ready_at_once_and_has_used_no_attempt(shared: Database) -> None:
    with scene(shared) as tx:
        (taken,) = claimed(tx, "a")
        assert hand_back(tx, Return(taken.number, taken.fence, "stopping", 0, False, retrying=False))
        row = job(tx, "a")
        assert (row.ready, row.due_at, row.attempt, row.lost_n) == (True, None, 0, 0)
        assert told(tx, taken.number)[-1] == "requeued"


def test_a_job_can_be_handed_back_only_by_its_holder_and_only_once(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        given = Return(taken.number, taken.fence, "why", 0, False)
        assert hand_back(tx, given)
        before = job(tx, "a")
        late = given._replace(call=CallOutcome("call-a", "failed", error="late news"))
        assert not hand_back(tx, late)
        assert job(tx, "a") == before
        assert calls_of(tx, taken.number)[0].error == "late news"
        assert not hand_back(tx, Return(10**9, 1, "why", 0, False))


def test_a_job_with_an_open_call_waits_to_be_resumed_instead_of_run_again(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        assert hand_back(tx, Return(taken.number, taken.fence, "stopping", 0, False))
        row = job(tx, "a")
        assert (row.status, row.ready, row.resumes) == ("pending", False, True)


@pytest.mark.parametrize("due_in_s", [0.0, 40.0])
def test_a_job_that_was_to_be_canceled_ends_when_it_comes_back(shared: Database, due_in_s: float) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a")
        cancel(tx, "a", "ann")
        over = CallOutcome("call-a", "failed", error="busy")
        assert hand_back(tx, Return(taken.number, taken.fence, "busy", due_in_s, True, call=over))
        row = job(tx, "a")
        assert row.status == "canceled"
        assert is_at_rest(row)
        assert told(tx, taken.number) == ["submitted", "started", "cancel_requested", "canceled"]
        assert [line.kind for line in ledger_of(tx, taken.number)] == ["hold", "release"]


def test_a_job_that_was_to_be_canceled_is_not_ended_beside_an_open_call(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        cancel(tx, "a", "ann")
        assert hand_back(tx, Return(taken.number, taken.fence, "stopping", 0, False))
        row = job(tx, "a")
        assert (row.status, row.resumes) == ("pending", True)
        (again,) = claim(tx, "w1", ["image"], 1)
        assert again.cancel_requested_at is not None


def test_an_ended_job_cannot_come_back(shared: Database) -> None:
    with scene(shared) as tx:
        (taken,) = claimed(tx, "a")
        complete(tx, taken)
        after = job(tx, "a")
        for fence in range(taken.fence + 3):
            assert not hand_back(tx, Return(taken.number, fence, "why", 0, False))
        assert job(tx, "a") == after
