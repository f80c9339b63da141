"""Many stuck jobs at once: planned, looked at again when it takes effect, and each moved once, or left alone."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa

from safelight.domain.ids import new_id
from safelight.services import prune, recovery_effect
from safelight.services.calls import Accepted, accepted
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.hand_back import Return, hand_back
from safelight.services.job_filter import JobFilter
from safelight.services.recoveries import Recovery, Survey, Wanted, members, newest, plan, recovery, stop, survey
from safelight.services.recovery_rules import MEANS, Action
from safelight.services.sql import NOW, arg
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Change
from safelight.store.tx import Tx
from safelight.testing.books import assert_books_balance
from tests.integration.services.scene import (
    batched,
    claimed,
    complete,
    events_of,
    is_at_rest,
    job,
    ledger_of,
    pause,
    running,
    scene,
    set_scene,
    submitted,
    told,
    turn_back,
)

_PARK = Change(
    sa.update(tables.jobs).where(tables.jobs.c.id == arg("public_id")).values(ready=sa.false(), waiting_for=arg("why"))
)
_MARK = Change(sa.update(tables.jobs).where(tables.jobs.c.id == arg("public_id")).values(pruning_at=NOW))
_PLANNED_AFTER_ALL = Change(
    sa.update(tables.recoveries).where(tables.recoveries.c.id == arg("public_id")).values(state="planned")
)
"""As if neither of two operators had seen the other's plan."""


def wanted(action: Action, *, after_s: float = 0.0, message: str = "", older_than_s: float | None = None, **given: Any):
    meant = JobFilter(given.pop("statuses", MEANS[action]), **given)
    return Wanted(action, meant, message, "olga", after_s, older_than_s)


def planned(tx: Tx, action: Action, **given: Any) -> Recovery:
    made, _ = plan(tx, wanted(action, **given), new_id())
    assert made is not None
    return made


def carried_out(tx: Tx, made: Recovery) -> Counter[str]:
    """Outcomes, once all slices were dealt with."""
    while recovery_effect.carry_out(tx, made.number).goes_on:
        pass
    found = recovery(tx, made.id)
    assert found is not None
    assert found.state == "done"
    return Counter(json.loads(found.counts))


def done(tx: Tx, action: Action, **given: Any) -> Counter[str]:
    return carried_out(tx, planned(tx, action, **given))


def names(found: Survey) -> list[str]:
    return sorted(row.id for row in found.jobs)


def backing_off(tx: Tx, name: str) -> None:
    (taken,) = claimed(tx, name)
    assert hand_back(tx, Return(taken.number, taken.fence, "It was busy.", 300.0, True))


def test_four_hundred_stuck_jobs_are_requeued_and_every_one_is_claimed_and_completes(database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx, credits=10_000)
        submitted(tx, *(f"a{n}" for n in range(400)))
        for n in range(400):
            tx.run(_PARK, public_id=f"a{n}", why="user:ann")
            turn_back(tx, job(tx, f"a{n}").number, "start_at", 1800.0)
        before = job(tx, "a7").deadline_at
        assert done(tx, Action.REQUEUE, queue="image", message="A worker was missing.") == {"requeued": 400}
        assert 1799.0 < job(tx, "a7").deadline_at - before < 1830.0
        (told_, *_) = events_of(tx, job(tx, "a7").number)[::-1]
        assert json.loads(told_.payload)["reason"] == "A worker was missing."
    with database.transaction() as tx:
        taken = claim(tx, "w1", ["image"], 400)
        assert len(taken) == 400
        assert all(complete(tx, each) for each in taken)
        assert_books_balance(tx)


def test_what_fails_gives_each_credit_back_once_and_tells_its_user_why(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", "b")
        assert done(tx, Action.FAIL, message="The GPU burnt down.") == {"failed": 2}
        for name in "ab":
            row = job(tx, name)
            assert (row.status, is_at_rest(row)) == ("failed", True)
            error = json.loads(row.error)
            assert (error["code"], error["message"]) == ("failed_by_operator", "The GPU burnt down.")
            assert [line.kind for line in ledger_of(tx, row.number)] == ["hold", "release"]
        assert done_nothing(tx, Action.FAIL)


def done_nothing(tx: Tx, action: Action, **given: Any) -> bool:
    made, found = plan(tx, wanted(action, **given), new_id())
    return made is None and found.jobs == []


def test_what_is_canceled_ends_or_is_stopped_by_its_worker_and_says_by_whom(shared: Database) -> None:
    with scene(shared) as tx:
        run = running(tx, "runs", repeatable=False)
        submitted(tx, "waits")
        assert done(tx, Action.CANCEL, message="Not today.") == {"canceled": 1, "stopping": 1}
        assert job(tx, "waits").status == "canceled"
        assert job(tx, "runs").cancel_requested_at is not None
        payload = json.loads(events_of(tx, job(tx, "waits").number)[-1].payload)
        assert (payload["by"], payload["message"]) == ("operator", "Not today.")
        assert complete(tx, run), "until it is stopped, finishing wins"


def test_a_retry_makes_what_waits_for_its_next_try_due_and_asks_for_the_ended_to_be_made_again(
    shared: Database,
) -> None:
    with scene(shared) as tx:
        backing_off(tx, "waits")
        submitted(tx, "failed")
        assert done(tx, Action.FAIL, statuses=("pending",), submitted_after=tx.now - 9, model="fake") == {"failed": 2}
        made = planned(tx, Action.RETRY, user="ann", statuses=("failed", "pending"))
        slice_ = recovery_effect.carry_out(tx, made.number)
        assert slice_.goes_on
        assert sorted(each.id for each in slice_.to_make) == ["failed", "waits"]
        backing_off(tx, "next")
        assert done(tx, Action.RETRY, statuses=("pending",)) == {"due": 1}
        assert job(tx, "next").ready


def test_what_waits_and_what_has_failed_are_found_together(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "failed")
        done(tx, Action.FAIL)
        backing_off(tx, "waits")
        for user in ("ann", None):
            assert names(survey(tx, wanted(Action.RETRY, user=user, statuses=("failed", "pending")))) == [
                "failed",
                "waits",
            ]


def test_a_plan_is_for_what_was_found_then_and_what_came_after_is_left_alone(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "before")
        made = planned(tx, Action.FAIL)
        submitted(tx, "after")
        assert carried_out(tx, made) == {"failed": 1}
        assert job(tx, "after").status == "pending"


@pytest.mark.parametrize("action", [Action.REQUEUE, Action.FAIL])
def test_jobs_that_were_taken_finished_or_canceled_in_between_are_left_as_they_are(
    shared: Database, action: Action
) -> None:
    with scene(shared) as tx:
        submitted(tx, "taken", "finished", "canceled", "stuck")
        made = planned(tx, action)
        first, second = claim(tx, "w1", ["image"], 2)
        assert complete(tx, second)
        assert cancel(tx, "canceled", "ann") == "pending"
        left = "held" if action is Action.REQUEUE else "changed"
        word = "requeued" if action is Action.REQUEUE else "failed"
        assert carried_out(tx, made) == {left: 1, "ended": 2, word: 1}
        assert job(tx, first.id).status == "processing"
        assert complete(tx, first), "its worker never noticed"


def test_nothing_is_requeued_whose_call_may_have_been_paid_or_that_a_worker_holds(shared: Database) -> None:
    with scene(shared) as tx:
        run = running(tx, "called", repeatable=False)
        assert accepted(tx, [Accepted("call-called", "remote-1")]) == [True]
        assert hand_back(tx, Return(run.number, run.fence, "It was cut off.", 300.0, True))
        claimed(tx, "held")
        submitted(tx, "later", start_at=tx.now + 900)
        found = survey(tx, wanted(Action.REQUEUE, statuses=("pending", "processing")))
        assert (names(found), found.untouched) == ([], {"called": 1, "held": 1, "scheduled": 1})
        assert done_nothing(tx, Action.REQUEUE)


def test_a_job_that_runs_may_be_failed_and_its_call_is_looked_after(shared: Database) -> None:
    with scene(shared) as tx:
        run = running(tx, "a", repeatable=False)
        assert done(tx, Action.FAIL, statuses=("processing",)) == {"failed": 1}
        assert not complete(tx, run)
        assert [line.kind for line in ledger_of(tx, run.number)] == ["hold", "release"]


def test_a_plan_is_stopped_until_it_takes_effect_and_not_after(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        made = planned(tx, Action.FAIL, after_s=60.0)
        assert recovery_effect.due(tx) == []
        stopped = stop(tx, made.id, "otto")
        assert stopped is not None
        assert (stopped.state, stopped.stopped_by) == ("canceled", "otto")
        assert recovery_effect.carry_out(tx, made.number) == recovery_effect.Slice(goes_on=False)
        assert job(tx, "a").status == "pending"
        again = planned(tx, Action.FAIL)
        assert recovery_effect.due(tx) == [again.number]
        assert carried_out(tx, again) == {"failed": 1}
        assert stop(tx, again.id, "otto") is None
        assert recovery_effect.due(tx) == []


def test_what_another_plan_is_for_is_not_planned_twice(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", "b")
        first = planned(tx, Action.FAIL, after_s=60.0)
        submitted(tx, "c")
        found = survey(tx, wanted(Action.REQUEUE))
        assert (names(found), found.untouched) == (["c"], {"planned": 2})
        assert stop(tx, first.id, "olga")
        assert names(survey(tx, wanted(Action.REQUEUE))) == ["a", "b", "c"]


def test_the_same_plan_made_twice_at_the_same_moment_touches_each_job_once(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", "b")
        first = planned(tx, Action.FAIL, after_s=60.0)
        assert stop(tx, first.id, "olga")
        second = planned(tx, Action.FAIL)
        assert tx.run(_PLANNED_AFTER_ALL, public_id=first.id) == 1
        assert carried_out(tx, second) == {"failed": 2}
        assert carried_out(tx, first) == {"ended": 2}


def test_items_of_a_batch_are_dealt_with_one_by_one_and_the_batch_ends_with_the_last(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "both", ["one", "two"])
        assert done(tx, Action.FAIL) == {"failed": 2}
        assert job(tx, "both").status == "failed"


def test_a_filter_means_what_it_says(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        submitted(tx, "old")
        turn_back(tx, job(tx, "old").number, "created_at", 900.0)
        submitted(tx, "bobs", user="bob", model="other")
        submitted(tx, "film", kind="video", queue="video")
        submitted(tx, "pinned", provider_pin="acme")
        submitted(tx, "gated")
        tx.run(_PARK, public_id="gated", why="gate:acme")
        submitted(tx, "shelved", labels='{"shelf":"3"}')

        def found(**given: Any) -> list[str]:
            return names(survey(tx, wanted(Action.FAIL, **given)))

        assert found(older_than_s=600.0) == ["old"]
        assert found(user="bob") == ["bobs"]
        assert found(model="other") == ["bobs"]
        assert found(queue="video") == found(kind="video") == ["film"]
        assert found(provider="acme") == ["gated", "pinned"]
        assert found(labels=(("shelf", "3"),)) == ["shelved"]
        assert found(submitted_after=tx.now - 100, submitted_before=tx.now - 50) == []
        assert len(found()) == 6


def test_a_job_that_is_let_in_before_the_effect_is_no_longer_one_of_those_that_wait_for_a_gate(
    shared: Database,
) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        tx.run(_PARK, public_id="a", why="gate:acme")
        made = planned(tx, Action.FAIL, provider="acme")
        tx.run(_PARK, public_id="a", why=None)
        assert carried_out(tx, made) == {"changed": 1}


def test_ended_jobs_are_found_by_their_code_of_everybody_and_not_back_for_ever(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        submitted(tx, "a")
        submitted(tx, "b", user="bob")
        submitted(tx, "old")
        done(tx, Action.FAIL)
        turn_back(tx, job(tx, "old").number, "created_at", 100_000.0)
        turn_back(tx, job(tx, "old").number, "finished_at", 99_000.0)

        def found(**given: Any) -> list[str]:
            return names(survey(tx, wanted(Action.RETRY, **given)))

        assert found() == found(error_code="failed_by_operator") == ["a", "b"]
        assert found(submitted_after=tx.now - 200_000.0) == ["a", "b", "old"]
        assert found(user="ann") == ["a", "old"]
        assert found(error_code="failed_by") == []


def test_requeued_twice_a_job_gets_no_time_twice(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        turn_back(tx, job(tx, "a").number, "start_at", 900.0)
        done(tx, Action.REQUEUE)
        first = job(tx, "a").deadline_at
        done(tx, Action.REQUEUE)
        assert job(tx, "a").deadline_at - first < 60.0


def test_one_that_is_requeued_in_a_paused_queue_goes_on_waiting(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        pause(tx)
        assert done(tx, Action.REQUEUE) == {"requeued": 1}
        assert claim(tx, "w1", ["image"], 1) == []


def test_what_was_planned_and_what_became_of_it_can_be_read_later(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", "b")
        made = planned(tx, Action.FAIL, queue="image", message="Sorry.")
        assert (made.requested_by, made.jobs, made.users, made.credits, made.state) == ("olga", 2, 1, 20, "planned")
        assert cancel(tx, "b", "ann")
        carried_out(tx, made)
        assert [(row.id, row.outcome) for row in members(tx, made.number, 10)] == [("a", "failed"), ("b", "ended")]
        (found,), more = newest(tx, 2**62, 1)
        assert (found.id, found.meant, more) == (made.id, JobFilter(("pending",), queue="image"), None)
        assert told(tx, job(tx, "a").number) == ["submitted", "failed"]


def test_the_record_of_a_job_goes_with_it_and_the_sums_stay(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", "b")
        made = planned(tx, Action.FAIL)
        carried_out(tx, made)
        number = job(tx, "a").number
        assert tx.run(_MARK, public_id="a", at_now=tx.now) == 1
        assert prune.remove(tx, [number]) == 1
        assert [row.id for row in members(tx, made.number, 10)] == ["b"]
        found = recovery(tx, made.id)
        assert found is not None
        assert (found.jobs, json.loads(found.counts)) == (2, {"failed": 2})
