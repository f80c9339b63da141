"""The record of calls: opened under the job's lease, moved by whoever learns more, whoever holds the job."""

from __future__ import annotations

import pytest

from safelight.services import calls, presence, sweep
from safelight.services.calls import CallOutcome, OpenCallExists, Sending
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.hand_back import Return, hand_back
from safelight.store.database import Database
from tests.integration.services.scene import calls_of, claimed, complete, hire, job, running, scene, send


def test_a_call_is_recorded_before_anything_is_sent(shared: Database) -> None:
    with scene(shared) as tx:
        (taken,) = claimed(tx, "a")
        assert send(tx, taken, call="c1")
        (call,) = calls_of(tx, taken.number)
        assert (call.id, call.state, call.attempt, call.worker_id, call.remote_id) == ("c1", "sending", 1, "w1", None)
        assert job(tx, "a").stage == "running"


def test_nothing_may_be_sent_for_a_job_that_was_taken_away(shared: Database) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        old, canceled, ended = claimed(tx, "old", "canceled", "ended")
        hand_back(tx, Return(old.number, old.fence, "why", 0, False))
        (new,) = claim(tx, "w2", ["image"], 1)
        cancel(tx, "canceled", "ann")
        complete(tx, ended)
        starts = [Sending(f"c{n}", j.number, j.fence, 1, "p", "m", False, "w1") for n, j in enumerate((old, ended))]
        flagged = Sending("c2", canceled.number, canceled.fence, 1, "p", "m", False, "w1")
        newer = Sending("c3", new.number, new.fence, 1, "p", "m", False, "w2")
        assert calls.sending(tx, [*starts, flagged, newer]) == [False, False, False, True]
        assert calls_of(tx, ended.number) == []
        assert [call.id for call in calls_of(tx, new.number)] == ["c3"]


def test_a_second_call_beside_an_open_one_is_refused_by_the_database(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        with pytest.raises(OpenCallExists):
            send(tx, taken, call="c2", repeatable=False)
        assert [call.id for call in calls_of(tx, taken.number)] == ["call-a"]


def test_a_repeatable_call_left_by_an_earlier_worker_is_closed_by_the_next_under_its_lease(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a")
        assert send(tx, taken, call="c2")
        calls_now = [(call.id, call.state) for call in calls_of(tx, taken.number)]
        assert calls_now == [("call-a", "failed"), ("c2", "sending")]
        lost = taken._replace(fence=taken.fence - 1)
        assert not send(tx, lost, call="c3")
        assert [(call.id, call.state) for call in calls_of(tx, taken.number)] == calls_now


def test_a_call_whose_outcome_is_unknown_has_not_ended(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        calls.end_call(tx, [CallOutcome("call-a", "unknown", error="cut off")])
        (call,) = calls_of(tx, taken.number)
        assert (call.state, call.ended_at) == ("unknown", None)
        calls.end_call(tx, [CallOutcome("call-a", "failed", error="it said no after all")])
        (call,) = calls_of(tx, taken.number)
        assert call.state == "failed"
        assert call.ended_at is not None


def test_making_a_call_is_news_to_those_who_watch(shared: Database) -> None:
    with scene(shared) as tx:
        (taken,) = claimed(tx, "a")
        before = job(tx, "a").sequence
        send(tx, taken)
        assert (job(tx, "a").stage, job(tx, "a").sequence) == ("running", before + 1)


def test_opening_a_call_again_because_the_commit_was_lost_opens_one(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a")
        assert send(tx, taken)
        assert [(call.id, call.state) for call in calls_of(tx, taken.number)] == [("call-a", "sending")]


def test_an_ended_call_makes_room_for_the_next(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a")
        assert calls.end_call(tx, [CallOutcome("call-a", "failed", error="busy")]) == [True]
        assert send(tx, taken, call="c2")
        assert [call.state for call in calls_of(tx, taken.number)] == ["failed", "sending"]


def test_the_remote_id_is_recorded_even_after_the_job_was_lost_and_ended(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        presence.declare_lost(tx, "w1", 0)
        sweep.take_from_lost(tx)
        assert calls_of(tx, taken.number)[0].state == "unknown"
        assert calls.accepted(tx, [calls.Accepted("call-a", "remote-7")])[0]
        (call,) = calls_of(tx, taken.number)
        assert (call.state, call.remote_id) == ("accepted", "remote-7")
        assert call.accepted_at is not None


def test_an_outcome_is_recorded_once_and_stays(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        assert calls.accepted(tx, [calls.Accepted("call-a", "remote-7")])[0]
        outcomes = [CallOutcome("call-a", "succeeded", 0.04), CallOutcome("nobody", "failed")]
        assert calls.end_call(tx, outcomes) == [True, False]
        assert calls.end_call(tx, [CallOutcome("call-a", "failed", error="late rumour")]) == [False]
        assert not calls.accepted(tx, [calls.Accepted("call-a", "remote-8")])[0]
        (call,) = calls_of(tx, taken.number)
        assert (call.state, call.remote_id, call.cost_usd, call.error) == ("succeeded", "remote-7", 0.04, None)


def test_unknown_is_not_final(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        assert calls.end_call(tx, [CallOutcome("call-a", "unknown", error="cut")]) == [True]
        left = calls.open_call_of(tx, taken.number)
        assert left is not None
        assert (left.id, left.state, left.repeatable) == ("call-a", "unknown", False)
        assert calls.end_call(tx, [CallOutcome("call-a", "succeeded", 0.1)]) == [True]
        assert calls.open_call_of(tx, taken.number) is None


def test_a_job_whose_call_may_have_been_accepted_is_resumed_not_repeated(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        presence.declare_lost(tx, "w1", 0)
        assert sweep.take_from_lost(tx) == 1
        row = job(tx, "a")
        assert (row.status, row.ready, row.resumes, row.attempt, row.lost_n) == ("pending", False, True, 0, 1)
        hire(tx, "w2")
        (again,) = claim(tx, "w2", ["image"], 1)
        assert (again.number, again.fence) == (taken.number, taken.fence + 2)
        assert not job(tx, "a").resumes


def test_a_local_call_of_a_lost_worker_is_simply_over(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=True)
        presence.declare_lost(tx, "w1", 0)
        sweep.take_from_lost(tx)
        (call,) = calls_of(tx, taken.number)
        assert (call.state, call.error) == ("failed", "the worker was lost")
        assert job(tx, "a").ready
