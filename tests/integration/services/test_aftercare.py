"""Calls that outlive their job: who hears how they end, and what becomes of what they bring."""

from __future__ import annotations

import pytest

from safelight.domain.jobs import Status
from safelight.services import aftercare, calls, presence, sweep
from safelight.services.calls import Accepted, CallOutcome
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.claimable import ClaimedJob
from safelight.services.finish import Ending, finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.hear import News, hear
from safelight.services.late import Late, keep_late
from safelight.services.read_jobs import job_details
from safelight.services.unknown_calls import give_up_on
from safelight.store.database import Database
from safelight.store.tx import Tx
from tests.integration.services.scene import (
    an_asset,
    assets_of,
    calls_of,
    claimed,
    complete,
    hire,
    job,
    ledger_of,
    running,
    scene,
    send,
    told,
    turn_back,
    turn_back_call,
)


def overdue(tx: Tx, name: str = "a", *, remote_id: str | None = None) -> ClaimedJob:
    """A job that has failed at its deadline while its paid call was open."""
    taken = running(tx, name, repeatable=False)
    if remote_id:
        calls.accepted(tx, [Accepted(f"call-{name}", remote_id)])
    turn_back(tx, taken.number, "deadline_at")
    assert sweep.expire(tx) == 1
    return taken


def test_the_open_call_of_a_job_that_ended_is_looked_after_and_a_free_one_is_over(shared: Database) -> None:
    with scene(shared) as tx:
        paid = overdue(tx, "paid", remote_id="r-1")
        free = running(tx, "free")
        turn_back(tx, free.number, "deadline_at")
        sweep.expire(tx)
        assert [(call.state, call.check_at is not None) for call in calls_of(tx, paid.number)] == [("accepted", True)]
        assert [(call.state, call.check_at) for call in calls_of(tx, free.number)] == [("failed", None)]
        assert aftercare.any_due(tx, ["fake"])
        (left,) = aftercare.take_due(tx, ["fake"], 8, 60.0)
        assert (left.id, left.job_id, left.remote_id, left.checks_n, left.outputs) == ("call-paid", "paid", "r-1", 1, 1)
        assert not aftercare.any_due(tx, ["fake"]), "it is left alone while somebody looks after it"


def test_a_worker_looks_only_after_calls_to_providers_it_has(shared: Database) -> None:
    with scene(shared) as tx:
        overdue(tx)
        assert not aftercare.any_due(tx, ["other"])
        assert aftercare.take_due(tx, ["other"], 8, 60.0) == []


def test_a_call_that_is_still_open_is_looked_at_later_and_after_a_day_no_more(shared: Database) -> None:
    with scene(shared) as tx:
        taken = overdue(tx, remote_id="r-1")
        assert aftercare.look_again(tx, "call-a", 30.0)
        assert not aftercare.any_due(tx, ["fake"])
        assert aftercare.stop_looking(tx, "call-a")
        assert not aftercare.look_again(tx, "call-a", 0.0)
        assert [(call.state, call.check_at) for call in calls_of(tx, taken.number)] == [("accepted", None)]


def test_how_old_a_call_is_counts_from_when_it_was_sent(shared: Database) -> None:
    with scene(shared) as tx:
        overdue(tx)
        turn_back_call(tx, "call-a", 90_000.0)
        (left,) = aftercare.take_due(tx, ["fake"], 8, 60.0)
        assert left.age_s == pytest.approx(90_000.0, abs=5.0)


def test_a_late_result_is_kept_for_the_operator_and_nobody_is_charged(shared: Database) -> None:
    with scene(shared) as tx:
        taken = overdue(tx, remote_id="r-1")
        before = [entry.kind for entry in ledger_of(tx, taken.number)]
        late = Late(taken.number, CallOutcome("call-a", "succeeded", 0.3), [an_asset("late")])
        assert keep_late(tx, [late]) == [True]
        (call,) = calls_of(tx, taken.number)
        assert (call.state, call.cost_usd, call.check_at) == ("succeeded", 0.3, None)
        assert [asset.recovered for asset in assets_of(tx, taken.number)] == [True]
        assert (job(tx, "a").status, [entry.kind for entry in ledger_of(tx, taken.number)]) == ("failed", before)
        assert told(tx, taken.number)[-1] == "asset_recovered"
        details = job_details(tx, "a", "ann")
        assert details is not None
        assert details.assets == ()
        assert keep_late(tx, [late]) == [False]


def test_a_zombie_that_delivers_after_its_job_ended_leaves_a_recovered_asset(shared: Database) -> None:
    with scene(shared) as tx:
        taken = overdue(tx)
        ending = Ending(
            taken.number, taken.fence, Status.COMPLETED, [an_asset("z")], None, CallOutcome("call-a", "succeeded", 0.2)
        )
        assert finish(tx, [ending]) == [False]
        assert [asset.recovered for asset in assets_of(tx, taken.number)] == [True]
        assert [(call.state, call.cost_usd) for call in calls_of(tx, taken.number)] == [("succeeded", 0.2)]


def test_a_zombie_that_delivers_while_its_successor_works_leaves_the_call_to_that_one(shared: Database) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        taken = running(tx, "a", repeatable=False)
        presence.declare_lost(tx, "w1", 0)
        sweep.take_from_lost(tx)
        ending = Ending(
            taken.number, taken.fence, Status.COMPLETED, [an_asset("z")], None, CallOutcome("call-a", "succeeded", 0.2)
        )
        assert finish(tx, [ending]) == [False]
        assert calls_of(tx, taken.number)[0].state == "unknown"
        assert job(tx, "a").resumes, "or the successor would make a second call"


def test_a_remote_id_learnt_after_the_job_ended_makes_the_call_due_at_once(shared: Database) -> None:
    with scene(shared) as tx:
        overdue(tx)
        aftercare.take_due(tx, ["fake"], 8, 600.0)
        assert calls.accepted(tx, [Accepted("call-a", "r-9")]) == [True]
        assert aftercare.any_due(tx, ["fake"])


@pytest.mark.parametrize("how", ["it answers a frozen worker", "it says so by itself"])
def test_news_after_nobody_looked_any_more_are_looked_at_all_the_same(shared: Database, how: str) -> None:
    with scene(shared) as tx:
        overdue(tx)
        assert aftercare.stop_looking(tx, "call-a")
        if how == "it says so by itself":
            assert hear(tx, News("fake", "r-9", "call-a"))
        else:
            assert calls.accepted(tx, [Accepted("call-a", "r-9")]) == [True]
        assert aftercare.any_due(tx, ["fake"])


def test_a_call_given_up_for_another_is_looked_after_while_its_job_goes_on(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        calls.end_call(tx, [CallOutcome("call-a", "unknown", error="cut")])
        assert give_up_on(tx, taken.number, taken.fence, "call-a")
        assert send(tx, taken, call="second", repeatable=False)
        (left,) = aftercare.take_due(tx, ["fake"], 8, 60.0)
        assert left.id == "call-a"
        late = Late(taken.number, CallOutcome("call-a", "succeeded"), [an_asset("late")])
        assert keep_late(tx, [late]) == [True]
        complete(tx, taken)
        assert sorted(asset.recovered for asset in assets_of(tx, taken.number)) == [False, True]


def test_only_one_call_of_a_job_is_ever_given_up(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        assert not give_up_on(tx, taken.number, taken.fence, "call-a"), "it is not unknown"
        calls.end_call(tx, [CallOutcome("call-a", "unknown")])
        assert not give_up_on(tx, taken.number, taken.fence - 1, "call-a"), "the lease is lost"
        assert give_up_on(tx, taken.number, taken.fence, "call-a")
        send(tx, taken, call="second", repeatable=False)
        calls.end_call(tx, [CallOutcome("second", "unknown")])
        assert not give_up_on(tx, taken.number, taken.fence, "second")


def test_a_cancel_that_no_worker_honours_ends_the_job_and_leaves_its_call_to_be_looked_after(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        calls.accepted(tx, [Accepted("call-a", "r-1")])
        cancel(tx, "a", "ann")
        assert sweep.cancel_unheeded(tx, 30.0) == 0
        turn_back(tx, taken.number, "cancel_requested_at", 31.0)
        assert sweep.look(tx, 30.0).unheeded == 1
        assert sweep.cancel_unheeded(tx, 30.0) == 1
        assert (job(tx, "a").status, job(tx, "a").fence) == ("canceled", taken.fence + 1)
        assert [entry.kind for entry in ledger_of(tx, taken.number)] == ["hold", "release"]
        assert aftercare.any_due(tx, ["fake"])
        assert complete(tx, taken) is False


@pytest.mark.parametrize("by", ["our id", "their id"])
def test_what_a_provider_says_by_itself_ends_no_job_but_wakes_its_holder(shared: Database, by: str) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        if by == "their id":
            calls.accepted(tx, [Accepted("call-a", "r-1")])
        news = News("fake", "r-1", "call-a" if by == "our id" else None)
        assert hear(tx, news)
        assert hear(tx, news), "a webhook may come twice"
        (call,) = calls_of(tx, taken.number)
        assert (call.state, call.remote_id, job(tx, "a").status) == ("accepted", "r-1", "processing")
        assert not hear(tx, news._replace(provider="another", call_id=None))
        assert not hear(tx, News("fake", "nobody's"))


def test_a_webhook_makes_a_job_that_waits_for_its_next_look_due_now(shared: Database) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        taken = running(tx, "a", repeatable=False)
        lost = CallOutcome("call-a", "unknown", error="cut")
        hand_back(tx, Return(taken.number, taken.fence, "unknown", 60.0, False, lost))
        assert claim(tx, "w2", ["image"], 1) == []
        assert hear(tx, News("fake", "r-1", "call-a"))
        (again,) = claim(tx, "w2", ["image"], 1)
        assert again.resumes
        assert calls_of(tx, again.number)[0].state == "accepted"


def test_a_webhook_for_an_ended_job_makes_its_call_due(shared: Database) -> None:
    with scene(shared) as tx:
        taken = overdue(tx)
        aftercare.take_due(tx, ["fake"], 8, 600.0)
        assert hear(tx, News("fake", "r-1", "call-a"))
        assert aftercare.any_due(tx, ["fake"])
        assert job(tx, "a").status == "failed"
        assert calls_of(tx, taken.number)[0].remote_id == "r-1"


def test_a_lost_worker_says_so_of_its_call_even_when_its_job_is_claimed_again(shared: Database) -> None:
    with scene(shared, workers=("w1",)) as tx:
        (taken,) = claimed(tx, "a")
        send(tx, taken, repeatable=False)
        presence.declare_lost(tx, "w1", 0)
        sweep.take_from_lost(tx)
        hire(tx, "w2")
        assert calls.end_call(tx, [CallOutcome("call-a", "failed", error="it said no")]) == [True]
        assert calls_of(tx, taken.number)[0].cost_usd == 0.0
