"""Jobs that could not run now stand in nobody's way: of users with enough running, and those that may end workers."""

from __future__ import annotations

from collections import Counter

from safelight.domain.jobs import Status
from safelight.services import parking, presence, sweep
from safelight.services.calls import CallOutcome, end_call
from safelight.services.cancel import cancel
from safelight.services.caps import NO_CAPS, Caps, has_exceptions
from safelight.services.claim import Terms, claim
from safelight.services.finish import Ending, finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.parking import FIRST_GROUP, PARK_AT_ONCE, let_in_missed
from safelight.services.pause import resume
from safelight.services.users import set_user
from safelight.store.database import Database
from safelight.store.tx import Tx
from tests.integration.services.scene import claimed, complete, hire, job, pause, running, scene, submitted, turn_back

TWO = Terms(caps=Caps(2))


def names(found: list[object]) -> list[str]:
    return sorted(taken.id for taken in found)  # type: ignore[attr-defined]


def lose(tx: Tx, name: str, times: int) -> None:
    """A job whose workers are lost again and again."""
    for n in range(times):
        worker = f"doomed-{name}-{n}"
        hire(tx, worker)
        assert names(list(claim(tx, worker, ["image"], 1))) == [name]
        presence.declare_lost(tx, worker, 0)
        assert sweep.take_from_lost(tx) == 1


def test_a_user_has_no_more_jobs_running_than_allowed_and_others_are_served_from_behind(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        submitted(tx, "a1", "a2", "a3", "a4", share=0.001)
        submitted(tx, "b1", user="bob", share=5.0)
        assert names(list(claim(tx, "w1", ["image"], 4, TWO))) == ["a1", "a2", "b1"]
        assert [(job(tx, n).ready, job(tx, n).waiting_for) for n in ("a3", "a4")] == [(False, "user:ann")] * 2
        assert claim(tx, "w1", ["image"], 4, TWO) == []


def test_the_cap_counts_per_queue_and_counts_jobs_with_an_open_call(shared: Database) -> None:
    with scene(shared) as tx:
        one = running(tx, "one", repeatable=False)
        hand_back(tx, Return(one.number, one.fence, "drain", 0, False))
        assert parking.running(tx, "image", "ann") == 1
        submitted(tx, "v", queue="video")
        submitted(tx, "two", "three")
        found = claim(tx, "w1", ["image", "video"], 9, Terms(caps=Caps(1)))
        assert names(list(found)) == ["one", "v"]


def test_a_cap_is_the_users_own_else_the_tiers_else_everybodys(shared: Database) -> None:
    with scene(shared, users=("ann", "bob", "cy", "dan", "eve")) as tx:
        set_user(tx, "ann", {"tier": "free", "running_cap": 3})
        set_user(tx, "bob", {"tier": "free"})
        set_user(tx, "cy", {"tier": "pro"})
        set_user(tx, "eve", {"tier": "gone"})
        assert has_exceptions(tx)
        for user in ("ann", "bob", "cy", "dan", "eve"):
            submitted(tx, *(f"{user}{n}" for n in range(5)), user=user)
        caps = Caps(4, {"free": 1, "pro": None, "default": 2}, has_exceptions(tx))
        taken = Counter(job.user_id for job in claim(tx, "w1", ["image"], 99, Terms(caps=caps)))
        assert taken == {"ann": 3, "bob": 1, "cy": 4, "dan": 2, "eve": 2}
        assert let_in_missed(tx, caps, FIRST_GROUP) == (0, FIRST_GROUP)
        set_user(tx, "ann", {"running_cap": None})
        assert not has_exceptions(tx)
        set_user(tx, "bob", {"tier": "pro"})
        assert let_in_missed(tx, caps, FIRST_GROUP) == (3, FIRST_GROUP)


def test_users_without_any_cap_run_beside_those_that_have_one(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        set_user(tx, "ann", {"running_cap": 1})
        submitted(tx, "a1", "a2")
        submitted(tx, "b1", "b2", "b3", user="bob")
        caps = Caps(exceptions=has_exceptions(tx))
        assert names(list(claim(tx, "w1", ["image"], 9, Terms(caps=caps)))) == ["a1", "b1", "b2", "b3"]


def test_when_a_job_ends_the_next_of_its_user_is_let_in(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a1", "a2", "a3", "a4")
        first, second = claim(tx, "w1", ["image"], 4, TWO)
        complete(tx, first)
        assert [job(tx, n).ready for n in ("a3", "a4")] == [True, False]
        finish(tx, [Ending(second.number, second.fence, Status.FAILED, (), "{}")])
        assert [job(tx, n).ready for n in ("a3", "a4")] == [True, True]


def test_a_job_that_goes_back_to_wait_lets_another_in(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a1", "a2")
        (first,) = claim(tx, "w1", ["image"], 4, Terms(caps=Caps(1)))
        hand_back(tx, Return(first.number, first.fence, "busy", 60, True))
        assert job(tx, "a2").ready


def test_a_parked_job_can_be_canceled_and_lets_nobody_in(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a1", "a2", "a3")
        claim(tx, "w1", ["image"], 4, Terms(caps=Caps(1)))
        assert cancel(tx, "a2", "ann") == "pending"
        assert (job(tx, "a2").status, job(tx, "a2").waiting_for) == ("canceled", None)
        assert not job(tx, "a3").ready


def test_the_sweep_lets_in_what_was_missed_up_to_the_cap(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, *(f"a{n}" for n in range(5)))
        claim(tx, "w1", ["image"], 9, Terms(caps=Caps(1)))
        assert let_in_missed(tx, Caps(1), FIRST_GROUP) == (0, FIRST_GROUP)
        assert let_in_missed(tx, Caps(3), FIRST_GROUP) == (2, FIRST_GROUP)
        assert sweep.look(tx, 30.0).parked == 2
        assert let_in_missed(tx, NO_CAPS, FIRST_GROUP)[0] == 2
        assert sweep.look(tx, 30.0).parked == 0


def test_one_claim_parks_a_slice_and_goes_on_behind_it(shared: Database) -> None:
    with scene(shared, users=("ann", "bob"), credits=10_000) as tx:
        submitted(tx, *(f"a{n}" for n in range(PARK_AT_ONCE + 5)), price=1, share=0.001)
        submitted(tx, "b", user="bob", share=50.0)
        assert len(claim(tx, "w1", ["image"], 1, Terms(caps=Caps(1)))) == 1
        assert names(list(claim(tx, "w1", ["image"], 1, Terms(caps=Caps(1))))) == ["b"]


def test_a_job_that_was_running_when_two_workers_were_lost_is_claimed_alone(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "bad")
        lose(tx, "bad", 2)
        submitted(tx, "good")
        found = claim(tx, "w1", ["image"], 4, Terms(idle=True))
        assert names(list(found)) == ["bad"]
        assert found[0].is_suspect


def test_a_busy_worker_that_meets_a_suspect_makes_room_for_it_while_others_go_on(shared: Database) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        submitted(tx, "bad")
        lose(tx, "bad", 2)
        submitted(tx, "good")
        assert claim(tx, "w1", ["image"], 4, Terms(idle=False)) == []
        assert job(tx, "bad").waiting_for == "worker:w1"
        assert names(list(claim(tx, "w2", ["image"], 4, Terms(idle=False)))) == ["good"]
        assert claim(tx, "w1", ["image"], 4, Terms(idle=False)) == []
        assert names(list(claim(tx, "w1", ["image"], 4, Terms(idle=True)))) == ["bad"]


def test_a_suspect_whose_worker_is_gone_is_let_in_again(shared: Database) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        submitted(tx, "bad")
        lose(tx, "bad", 2)
        claim(tx, "w1", ["image"], 1, Terms(idle=False))
        assert let_in_missed(tx, NO_CAPS, FIRST_GROUP)[0] == 0
        presence.declare_lost(tx, "w1", 0)
        assert let_in_missed(tx, NO_CAPS, FIRST_GROUP)[0] == 1
        assert names(list(claim(tx, "w2", ["image"], 1))) == ["bad"]


def test_a_suspect_whose_worker_drains_is_let_in_again(shared: Database) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        submitted(tx, "bad")
        lose(tx, "bad", 2)
        claim(tx, "w1", ["image"], 1, Terms(idle=False))
        presence.beat(tx, presence.Beat("w1", 1, True, 0.0, 0))
        assert let_in_missed(tx, NO_CAPS, FIRST_GROUP)[0] == 1
        assert names(list(claim(tx, "w2", ["image"], 1))) == ["bad"]


def test_a_suspect_that_waits_for_a_worker_also_waits_for_its_paused_queue(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "bad")
        lose(tx, "bad", 2)
        claim(tx, "w1", ["image"], 1, Terms(idle=False))
        pause(tx)
        submitted(tx, "film", queue="video")
        assert names(list(claim(tx, "w1", ["image", "video"], 4))) == ["film"]
        resume(tx, "image")
        assert names(list(claim(tx, "w1", ["image", "video"], 4))) == ["bad"]


def test_a_suspect_is_left_to_workers_that_can_run_it(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "bad")
        lose(tx, "bad", 2)
        assert claim(tx, "w1", ["image"], 4, Terms(models=("other",), providers=("elsewhere",))) == []
        assert names(list(claim(tx, "w1", ["image"], 4, Terms(models=("fake",))))) == ["bad"]


def test_a_job_with_an_open_call_is_left_to_workers_that_have_its_provider(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        hand_back(tx, Return(taken.number, taken.fence, "drain", 0, False))
        assert claim(tx, "w1", ["image"], 4, Terms(models=("fake",), providers=("elsewhere",))) == []
        retired = Terms(models=(), providers=("fake",))
        assert [(j.id, j.resumes) for j in claim(tx, "w1", ["image"], 4, retired)] == [("a", True)]


def test_a_job_whose_call_ended_while_it_waited_to_resume_is_claimed_by_anybody(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        hand_back(tx, Return(taken.number, taken.fence, "drain", 0, False))
        assert end_call(tx, [CallOutcome("call-a", "failed")]) == [True]
        assert names(list(claim(tx, "w1", ["image"], 4, Terms(models=("other",), providers=("elsewhere",))))) == ["a"]


def test_a_suspect_with_an_open_call_is_resumed_alone(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "bad", repeatable=False)
        hand_back(tx, Return(taken.number, taken.fence, "drain", 0, False))
        lose(tx, "bad", 2)
        submitted(tx, "good")
        found = claim(tx, "w1", ["image"], 4)
        assert [(j.id, j.resumes) for j in found] == [("bad", True)]


def test_a_worker_leaves_jobs_alone_that_it_cannot_run(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "new", model="of a later release")
        submitted(tx, "pinned", provider_pin="elsewhere")
        submitted(tx, "mine", "too", provider_pin=None)
        mine = Terms(models=("fake",), providers=("here",))
        assert names(list(claim(tx, "w1", ["image"], 9, mine))) == ["mine", "too"]
        other = Terms(models=("fake", "of a later release"), providers=("elsewhere",))
        assert names(list(claim(tx, "w1", ["image"], 9, other))) == ["new", "pinned"]


def test_jobs_given_priority_do_not_push_back_those_who_come_later(shared: Database) -> None:
    with scene(shared, users=("ann", "bob", "eve")) as tx:
        submitted(tx, "b1", "b2", user="bob", share=10.0)
        submitted(tx, "p1", "p2", "p3", user="ann", priority=5, share=100.0)
        assert names(list(claim(tx, "w1", ["image"], 3))) == ["p1", "p2", "p3"]
        submitted(tx, "e", user="eve", share=10.0)
        order = [taken.id for _ in range(3) for taken in claim(tx, "w1", ["image"], 1)]
        assert order == ["b1", "e", "b2"]


def test_a_scheduled_job_of_a_capped_user_is_parked_when_its_time_comes(shared: Database) -> None:
    with scene(shared) as tx:
        claimed(tx, "a1")
        submitted(tx, "later", start_at=tx.now + 60)
        turn_back(tx, job(tx, "later").number, "due_at")
        assert sweep.make_ready(tx) == 1
        assert claim(tx, "w1", ["image"], 1, Terms(caps=Caps(1))) == []
        assert job(tx, "later").waiting_for == "user:ann"


def test_of_many_suspects_a_part_is_tried_together_and_of_those_lost_again_a_smaller_one(shared: Database) -> None:
    with scene(shared, credits=10_000) as tx:
        names_of_all = [f"s{n}" for n in range(64)]
        submitted(tx, *names_of_all, price=1)
        for n in range(2):
            hire(tx, f"cut-{n}")
            assert len(claim(tx, f"cut-{n}", ["image"], 64)) == 64
            presence.declare_lost(tx, f"cut-{n}", 0)
            assert sweep.take_from_lost(tx) == 64
        hire(tx, "third")
        assert len(claim(tx, "third", ["image"], 64)) == 16
        presence.declare_lost(tx, "third", 0)
        assert sweep.take_from_lost(tx) == 16
        assert [(len(found), found[0].lost_n) for found in [claim(tx, "w1", ["image"], 64)]] == [(1, 3)]


def test_a_part_of_the_suspects_is_no_larger_than_the_slots(shared: Database) -> None:
    with scene(shared, credits=10_000) as tx:
        submitted(tx, *(f"s{n}" for n in range(40)), price=1)
        for n in range(2):
            hire(tx, f"cut-{n}")
            claim(tx, f"cut-{n}", ["image"], 40)
            presence.declare_lost(tx, f"cut-{n}", 0)
            sweep.take_from_lost(tx)
        assert len(claim(tx, "w1", ["image"], 4)) == 4
