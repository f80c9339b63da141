"""The gates of providers in the database: shared by all workers, exact at the moment a call is made."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from safelight.domain.gates import Cause, Shut, Toll, Verdict
from safelight.domain.outcomes import ErrorClass, ProviderError
from safelight.services import calls, gate_look, gate_parking, gates, parking, presence, sweep
from safelight.services.calls import CallOutcome, Sending, sending
from safelight.services.caps import NO_CAPS
from safelight.services.claim import Terms, claim
from safelight.services.claimable import ClaimedJob
from safelight.services.gate_parking import Opening, ShutGate, gate_of, let_through
from safelight.services.gates import Heard, open_gates
from safelight.services.hand_back import Return, hand_back
from safelight.services.job_body import waits_for
from safelight.services.read_jobs import job_details
from safelight.services.sql import INTEGER, arg
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Change
from safelight.store.tx import Tx
from tests.integration.services.scene import (
    all_jobs,
    calls_of,
    claimed,
    complete,
    events_of,
    hire,
    job,
    scene,
    set_scene,
    submitted,
    turn_back,
)

FETCH = Change(
    sa.update(tables.jobs).where(tables.jobs.c.number == arg("this_job", INTEGER)).values(resumed_call="earlier")
)
ACME = Toll("acme", "k1")
SHUT_ACME = Terms(models=(), providers=("acme",), shut=(ShutGate("acme", ("fake",)),))


def start(job: ClaimedJob, toll: Toll | None = ACME, *, usd: float | None = None, call: str = "") -> Sending:
    call = call or f"call-{job.id}"
    return Sending(call, job.number, job.fence, job.attempt, "acme", "m", False, "w1", usd, toll)


def cause(answer: bool | Shut) -> Cause | None:
    return answer.cause if isinstance(answer, Shut) else None


def hear(tx: Tx, call: str, error: str | None = None, words: str = "no", toll: Toll = ACME) -> Shut | None:
    wrong = ProviderError(ErrorClass(error), words) if error else None
    (shut,) = gates.learn(tx, [Heard(toll, Verdict(call, wrong))])
    return shut


def waits(tx: Tx, taken: ClaimedJob) -> None:
    assert hand_back(tx, Return(taken.number, taken.fence, "shut", 0.0, False, waits_for=gate_of("acme")))


def test_calls_beyond_the_limit_are_not_made_and_leave_no_trace_of_a_call(shared: Database) -> None:
    with scene(shared) as tx:
        toll = ACME._replace(concurrency=2)
        taken = claimed(tx, "a", "b", "c")
        answers = sending(tx, [start(one, toll) for one in taken])
        assert [cause(answer) for answer in answers] == [None, None, Cause.CONCURRENCY]
        assert answers[:2] == [True, True]
        assert calls_of(tx, taken[2].number) == []
        calls.end_call(tx, [CallOutcome("call-a", "succeeded")])
        assert sending(tx, [start(taken[2], toll)]) == [True]


def test_an_open_call_counts_whoever_made_it_and_whatever_became_of_its_job(shared: Database) -> None:
    with scene(shared) as tx:
        toll = ACME._replace(concurrency=1)
        lost, next_one = claimed(tx, "lost", "next")
        assert sending(tx, [start(lost, toll)]) == [True]
        calls.accepted(tx, [calls.Accepted("call-lost", "r-1")])
        turn_back(tx, lost.number, "deadline_at")
        assert sweep.expire(tx) == 1
        assert cause(sending(tx, [start(next_one, toll)])[0]) is Cause.CONCURRENCY


def test_a_call_of_which_nobody_will_ever_know_takes_no_place_when_its_job_is_over(shared: Database) -> None:
    with scene(shared) as tx:
        toll = ACME._replace(concurrency=1)
        lost, next_one = claimed(tx, "lost", "next")
        assert sending(tx, [start(lost, toll)]) == [True]
        calls.end_call(tx, [CallOutcome("call-lost", "unknown", error="cut")])
        assert cause(sending(tx, [start(next_one, toll)])[0]) is Cause.CONCURRENCY
        turn_back(tx, lost.number, "deadline_at")
        assert sweep.expire(tx) == 1
        assert sending(tx, [start(next_one, toll)]) == [True]


def test_running_it_again_because_the_commit_was_lost_takes_one_place_and_one_part_of_the_day(shared: Database) -> None:
    with scene(shared) as tx:
        toll = ACME._replace(concurrency=1, per_minute=1, daily_usd=1.0)
        a, b = claimed(tx, "a", "b")
        for _ in range(2):
            assert sending(tx, [start(a, toll, usd=0.6)]) == [True]
        calls.end_call(tx, [CallOutcome("call-a", "succeeded")])
        assert cause(sending(tx, [start(b, toll._replace(per_minute=None), usd=0.4)])[0]) is None


def test_requests_per_minute_are_counted_over_all_calls(shared: Database) -> None:
    with scene(shared) as tx:
        toll = ACME._replace(per_minute=1)
        a, b = claimed(tx, "a", "b")
        answers = sending(tx, [start(a, toll), start(b, toll)])
        assert [cause(answer) for answer in answers] == [None, Cause.REQUESTS_PER_MINUTE]


def test_a_job_that_is_no_longer_ours_takes_nothing_from_its_gate(shared: Database) -> None:
    with scene(shared) as tx:
        toll = ACME._replace(per_minute=1)
        a, b = claimed(tx, "a", "b")
        old = a._replace(fence=a.fence - 1)
        assert sending(tx, [start(old, toll), start(b, toll)]) == [False, True]


def test_two_workers_never_take_the_last_place_together(database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx)
        taken = claimed(tx, *(f"j{n}" for n in range(16)))

    def one(job: ClaimedJob) -> bool:
        with database.transaction() as tx:
            return sending(tx, [start(job, ACME._replace(concurrency=5))])[0] is True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, taken)) == 5


def test_two_workers_never_take_the_trial_together(database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx)
        taken = claimed(tx, *(f"j{n}" for n in range(8)))
        hear(tx, "before", "unauthorized")
        open_gates(tx, "acme")

    def one(job: ClaimedJob) -> bool:
        with database.transaction() as tx:
            return sending(tx, [start(job)])[0] is True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, taken)) == 1


def test_a_refused_key_shuts_its_gate_and_a_new_key_has_an_open_one(shared: Database) -> None:
    with scene(shared) as tx:
        a, b = claimed(tx, "a", "b")
        shut = hear(tx, "earlier", "unauthorized", "Incorrect API key provided")
        assert shut is not None
        assert "Incorrect API key provided" in shut.why
        assert cause(sending(tx, [start(a)])[0]) is Cause.BREAKER
        assert sending(tx, [start(b, ACME._replace(fingerprint="k2"))]) == [True]


def test_a_trial_that_is_accepted_opens_the_gate_for_all(shared: Database) -> None:
    with scene(shared) as tx:
        a, b = claimed(tx, "a", "b")
        hear(tx, "earlier", "out_of_credit")
        open_gates(tx, "acme")
        assert sending(tx, [start(a)]) == [True]
        assert cause(sending(tx, [start(b)])[0]) is Cause.BREAKER
        calls.accepted(tx, [calls.Accepted("call-a", "r-1")])
        assert sending(tx, [start(b)]) == [True]


def test_a_trial_whose_worker_was_killed_makes_room_for_another_in_time(shared: Database) -> None:
    with scene(shared) as tx:
        a, b = claimed(tx, "a", "b")
        hear(tx, "earlier", "unauthorized")
        open_gates(tx, "acme")
        assert sending(tx, [start(a)]) == [True]
        presence.declare_lost(tx, "w1", 0)
        assert cause(sending(tx, [start(b)])[0]) is Cause.BREAKER
        (gate,) = open_gates(tx, "acme")  # as does the passing of its time: see the rules
        assert gate.trial_call is None
        assert sending(tx, [start(b)]) == [True]


def test_at_the_ceiling_the_gate_shuts_and_says_so(shared: Database) -> None:
    with scene(shared) as tx:
        toll = ACME._replace(daily_usd=1.0)
        a, b, c = claimed(tx, "a", "b", "c")
        answers = sending(tx, [start(a, toll, usd=0.96), start(b, toll, usd=0.6), start(c, toll, usd=0.01)])
        assert [cause(answer) for answer in answers] == [None, Cause.SPEND_CEILING, Cause.SPEND_CEILING]
        assert sending(tx, [start(b, toll._replace(daily_usd=2.0), usd=0.6)]) == [True]


def test_one_dear_call_waits_by_itself_while_cheaper_ones_pass(shared: Database) -> None:
    with scene(shared) as tx:
        toll = ACME._replace(daily_usd=1.5)
        a, film, c = claimed(tx, "a", "film", "c")
        answers = sending(tx, [start(a, toll, usd=0.34), start(film, toll, usd=1.35), start(c, toll, usd=0.1)])
        assert (answers[0], answers[2]) == (True, True)
        alone = answers[1]
        assert isinstance(alone, Shut)
        assert (alone.cause, alone.alone, alone.hopeless) == (Cause.SPEND_CEILING, True, False)
        assert alone.why == "$0.34 of $1.50 are spent today; the call is expected to cost $1.35"
        seen = gate_look.look(tx, [toll], "w1")
        assert [standing.shut for standing in seen.standings] == [None]


def test_a_call_that_was_not_accepted_is_taken_off_the_day_again_and_only_once(shared: Database) -> None:
    with scene(shared) as tx:
        toll = ACME._replace(daily_usd=1.0)
        a, b, c = claimed(tx, "a", "b", "c")
        assert sending(tx, [start(a, toll, usd=0.9)]) == [True]
        for _ in range(2):
            calls.end_call(tx, [CallOutcome("call-a", "failed", error="busy")])
        assert sending(tx, [start(b, toll, usd=0.9)]) == [True]
        calls.accepted(tx, [calls.Accepted("call-b", "r-1")])
        calls.end_call(tx, [CallOutcome("call-b", "failed", error="it broke")])
        assert cause(sending(tx, [start(c, toll, usd=0.9)])[0]) is Cause.SPEND_CEILING, "b was made, and is paid for"


def test_a_ceiling_that_was_reached_by_calls_that_cost_nothing_opens_again(shared: Database) -> None:
    with scene(shared) as tx:
        toll, elsewhere = ACME._replace(daily_usd=1.0), Toll("other", "k1", daily_usd=1.0)
        a, b, c, d = claimed(tx, "a", "b", "c", "d")
        assert sending(tx, [start(a, toll, usd=0.96)]) == [True]
        assert cause(sending(tx, [start(b, toll, usd=0.96)])[0]) is Cause.SPEND_CEILING
        there = [start(job, elsewhere, usd=0.96)._replace(provider="other") for job in (c, d)]
        assert [cause(answer) for answer in sending(tx, there)] == [None, Cause.SPEND_CEILING]
        calls.end_call(tx, [CallOutcome("call-a", "failed", error="busy")])
        seen = gate_look.look(tx, [toll, elsewhere], "w1")
        assert [standing.shut and standing.shut.cause for standing in seen.standings] == [None, Cause.SPEND_CEILING]
        assert sending(tx, [start(b, toll, usd=0.96)]) == [True]


def test_a_call_that_costs_more_than_a_day_may_shuts_nothing(shared: Database) -> None:
    with scene(shared) as tx:
        toll = ACME._replace(daily_usd=1.0)
        a, b = claimed(tx, "a", "b")
        dear, cheap = sending(tx, [start(a, toll, usd=1.5), start(b, toll, usd=0.5)])
        assert isinstance(dear, Shut)
        assert dear.hopeless
        assert cheap is True


def test_jobs_behind_a_shut_gate_leave_the_queue_and_the_others_are_served(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a1", "a2", share=0.001)
        submitted(tx, "pinned", model="other", provider_pin="acme", share=0.001)
        submitted(tx, "free", model="other")
        terms = SHUT_ACME._replace(models=("other",))
        assert [taken.id for taken in claim(tx, "w1", ["image"], 9, terms)] == ["free"]
        assert [job(tx, name).waiting_for for name in ("a1", "a2", "pinned")] == ["gate:acme"] * 3
        assert [job(tx, name).attempt for name in ("a1", "a2", "pinned")] == [0, 0, 0]


def test_a_job_with_an_open_call_passes_a_shut_gate_even_if_it_is_run_alone(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "bad")
        for doomed in ("d1", "d2"):
            hire(tx, doomed)
            (taken,) = claim(tx, doomed, ["image"], 1)
            assert taken.resumes or sending(tx, [start(taken)]) == [True]
            presence.declare_lost(tx, doomed, 0)
            assert sweep.take_from_lost(tx) == 1
        shut = Terms(models=("fake",), providers=("acme",), shut=(ShutGate("acme", ("fake",)),), open_models=())
        assert [(taken.id, taken.is_suspect) for taken in claim(tx, "w1", ["image"], 4, shut)] == [("bad", True)]


def test_a_job_that_only_fetches_what_an_earlier_call_made_passes_a_shut_gate(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "fetches", "calls")
        tx.run(FETCH, this_job=job(tx, "fetches").number)
        shut = Terms(models=("fake",), providers=("acme",), shut=(ShutGate("acme", ("fake",)),), open_models=())
        assert [taken.id for taken in claim(tx, "w1", ["image"], 4, shut)] == ["fetches"]
        assert job(tx, "calls").waiting_for == "gate:acme"


def test_of_very_many_a_part_is_parked_at_a_time_and_the_queue_is_woken(shared: Database) -> None:
    with scene(shared, credits=10_000) as tx:
        submitted(tx, *(f"a{n}" for n in range(3 * parking.PARK_AT_ONCE + 1)), price=1)
        assert claim(tx, "w1", ["image"], 1, SHUT_ACME) == []
        assert sum(row.ready for row in all_jobs(tx)) == 1
        submitted(tx, "free", model="other", price=1)
        assert [taken.id for taken in claim(tx, "w1", ["image"], 1, SHUT_ACME._replace(models=("other",)))] == ["free"]
        assert not any(row.ready for row in all_jobs(tx))


def test_when_a_gate_opens_as_many_as_may_pass_are_let_in_in_their_order(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a1", "a2", "a3", "other")
        claim(tx, "w1", ["image"], 9, SHUT_ACME)
        (group,) = gate_parking.parked(tx)
        assert (group.waiting_for, group.queue) == ("gate:acme", "image")
        assert let_through(tx, [Opening(group, "acme", ("elsewhere",), 2)]) == 0
        assert let_through(tx, [Opening(group, "acme", ("fake",), 2)]) == 2
        assert [job(tx, name).ready for name in ("a1", "a2", "a3")] == [True, True, False]


def test_a_job_sent_back_by_a_gate_before_it_called_anybody_has_lost_nothing(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        before = job(tx, "a")
        (taken,) = claim(tx, "w1", ["image"], 1)
        assert job(tx, "a").deadline_at < before.deadline_at
        waits(tx, taken)
        row = job(tx, "a")
        assert (row.status, row.ready, row.waiting_for, row.attempt) == ("pending", False, "gate:acme", 0)
        assert (row.deadline_at, row.started_at, row.due_at) == (before.deadline_at, None, None)


def test_a_job_sent_back_after_it_was_to_be_canceled_ends(shared: Database) -> None:
    from safelight.services.cancel import cancel

    with scene(shared) as tx:
        (taken,) = claimed(tx, "a")
        cancel(tx, "a", "ann")
        waits(tx, taken)
        assert (job(tx, "a").status, job(tx, "a").waiting_for) == ("canceled", None)


def test_a_job_that_has_called_before_keeps_its_deadline(shared: Database) -> None:
    with scene(shared) as tx:
        (taken,) = claimed(tx, "a")
        assert sending(tx, [start(taken)]) == [True]
        calls.end_call(tx, [CallOutcome("call-a", "failed", error="busy")])
        before = job(tx, "a")
        waits(tx, taken)
        assert (job(tx, "a").deadline_at, job(tx, "a").started_at) == (before.deadline_at, before.started_at)


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [("unauthorized", "breaker", "its key is refused: Incorrect API key"), (None, None, "as many calls are open")],
)
def test_whoever_waits_at_a_gate_is_told_why_and_so_is_whoever_waited_in_vain(
    shared: Database, wrong: str | None, code: str | None, words: str
) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", "b")
        if wrong:
            hear(tx, "earlier", wrong, "Incorrect API key")
        claim(tx, "w1", ["image"], 9, SHUT_ACME)
        details = job_details(tx, "a", "ann")
        assert details is not None
        assert details.gate is not None
        assert details.gate.startswith("acme to take calls again: " + words)
        turn_back(tx, job(tx, "a").number, "deadline_at")
        assert sweep.expire(tx) == 1
        error = json.loads(job(tx, "a").error)
        assert (error["code"], error["provider"], error["provider_code"]) == ("deadline_exceeded", "acme", code)
        assert words in error["message"]
        assert job(tx, "b").status == "pending"


def test_while_a_trial_is_due_those_who_wait_are_told_of_the_trouble_it_is_about(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        hear(tx, "earlier", "unauthorized", "Incorrect API key")
        claim(tx, "w1", ["image"], 9, SHUT_ACME)
        open_gates(tx, "acme")
        details = job_details(tx, "a", "ann")
        assert details is not None
        assert "the next call tries whether it works: its key is refused: Incorrect API key" in str(details.gate)


def test_the_ceiling_is_named_to_those_who_wait_and_in_the_error(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "waiting", share=9.0)
        (taken,) = claim(tx, "w1", ["image"], 1, Terms(models=("fake",)))
        toll = ACME._replace(daily_usd=1.0)
        gates.learn(tx, [Heard(toll, Verdict("x"))])
        other, last = claimed(tx, "other", "last")
        assert sending(tx, [start(other, toll, usd=0.96)]) == [True]
        assert cause(sending(tx, [start(taken, toll, usd=0.96)])[0]) is Cause.SPEND_CEILING
        waits(tx, taken)
        details = job_details(tx, "waiting", "ann")
        assert details is not None
        assert "today's spending ceiling of $1.00 is reached" in str(details.gate)
        turn_back(tx, taken.number, "deadline_at")
        sweep.expire(tx)
        assert json.loads(job(tx, "waiting").error)["provider_code"] == "spend_ceiling"
        assert complete(tx, last)


def test_in_lists_without_a_look_at_gates_the_words_are_general() -> None:
    assert waits_for("gate:acme") == "its provider to take calls again"


def test_a_look_shows_how_the_gates_stand_and_what_others_have(shared: Database) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        (a, _) = claimed(tx, "a", "b")
        toll = ACME._replace(concurrency=3)
        assert sending(tx, [start(a, toll)]) == [True]
        seen = gate_look.look(tx, [toll, Toll("never", "")], "w1")
        first, fresh = seen.standings
        assert (first.open_calls, first.room, first.shut) == (1, 2, None)
        assert (fresh.room, fresh.shut) == (parking.PARK_AT_ONCE, None)
        assert seen.elsewhere == {"fake"}
        assert gate_look.look(tx, [], "w2").parked == ()


def test_the_sweep_leaves_those_at_gates_to_who_can_call_for_them(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        claim(tx, "w1", ["image"], 9, SHUT_ACME)
        assert parking.let_in_missed(tx, NO_CAPS, parking.FIRST_GROUP) == (0, parking.FIRST_GROUP)
        assert [event.type for event in events_of(tx, job(tx, "a").number)] == ["job.submitted"]
