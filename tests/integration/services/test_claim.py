"""Claim: who may take which job, and in what order."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from safelight.services import presence, sweep
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.claimable import ClaimedJob
from safelight.services.hand_back import Return, hand_back
from safelight.services.submit import submit
from safelight.store.connect import open_database
from safelight.store.database import Database
from safelight.store.tx import Tx
from safelight.testing.books import assert_books_balance
from tests.integration.services.scene import (
    all_jobs,
    claimed,
    complete,
    job,
    pause,
    running,
    scene,
    set_scene,
    submitted,
    told,
    turn_back,
    wish,
)


def ids(jobs: list[ClaimedJob]) -> list[str]:
    return [taken.id for taken in jobs]


def one_by_one(tx: object, count: int) -> list[str]:
    """The order in which a worker with one slot would run them."""
    return [taken.id for _ in range(count) for taken in claim(tx, "w1", ["image"], 1)]  # type: ignore[arg-type]


def test_a_claimed_job_is_processing_and_carries_what_its_attempt_needs(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", outputs=2, max_wait_s=3600, run_limit_s=90, request_id="r1")
        (taken,) = claim(tx, "w1", ["image"], 4)
        row = job(tx, "a")
        assert (row.status, row.stage, row.ready, row.worker_id, row.attempt, row.fence) == (
            "processing",
            "starting",
            False,
            "w1",
            1,
            1,
        )
        assert (taken.number, taken.fence, taken.attempt, taken.outputs, taken.request_id) == (
            row.number,
            1,
            1,
            2,
            "r1",
        )
        assert taken.seconds_left == pytest.approx(90)
        assert told(tx, row.number) == ["submitted", "started"]


def test_the_first_claim_brings_the_deadline_near_but_never_moves_it_away(shared: Database) -> None:
    with scene(shared) as tx:
        patient, hasty = (
            claimed(tx, "patient", max_wait_s=3600, run_limit_s=600)[0],
            claimed(tx, "hasty", max_wait_s=30)[0],
        )
        assert patient.seconds_left == pytest.approx(600)
        assert hasty.seconds_left == pytest.approx(30)


def test_nobody_takes_more_than_its_slots_and_nobody_takes_a_job_twice(shared: Database) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        submitted(tx, *"abcde")
        first, second, third = (claim(tx, worker, ["image"], 2) for worker in ("w1", "w2", "w1"))
        assert sorted(ids(first) + ids(second) + ids(third)) == list("abcde")
        assert claim(tx, "w2", ["image"], 2) == []


def test_two_processes_that_claim_at_the_same_moment_never_get_the_same_job(
    database: Database, database_url: str
) -> None:
    workers, jobs = 4, 40
    with database.transaction() as tx:
        set_scene(tx, workers=[f"w{n}" for n in range(workers)])
        submitted(tx, *(f"j{n}" for n in range(jobs)))
    start = threading.Barrier(workers)

    def work(name: str) -> list[str]:
        own = open_database(database_url)
        taken: list[str] = []
        start.wait(10)
        while True:
            with own.transaction() as tx:
                got = ids(claim(tx, name, ["image"], 3))
            if not got:
                own.close()
                return taken
            taken += got

    with ThreadPoolExecutor(workers) as pool:
        takings = list(pool.map(work, [f"w{n}" for n in range(workers)]))
    assert Counter(name for taken in takings for name in taken) == Counter({f"j{n}": 1 for n in range(jobs)})
    with database.transaction() as tx:
        assert {row.fence for row in all_jobs(tx)} == {1}
        assert_books_balance(tx)


@pytest.mark.parametrize("fate", ["lost", "draining", "gone", "never there"])
def test_only_a_live_worker_may_claim(shared: Database, fate: str) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        match fate:
            case "lost":
                assert presence.declare_lost(tx, "w1", 0)
            case "draining":
                assert presence.beat(tx, presence.Beat("w1", 0, True, 0.0, 0))
            case "gone":
                presence.depart(tx, "w1")
        assert claim(tx, "w2" if fate == "never there" else "w1", ["image"], 4) == []
        assert job(tx, "a").status == "pending"


def test_a_worker_takes_only_from_the_queues_it_names(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "picture")
        submitted(tx, "film", queue="video", kind="video")
        assert claim(tx, "w1", ["nowhere"], 4) == []
        assert ids(claim(tx, "w1", ["video"], 4)) == ["film"]
        assert sorted(ids(claim(tx, "w1", ["video", "image"], 4))) == ["picture"]


def test_slots_are_shared_between_the_queues_named(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "p1", "p2")
        submitted(tx, "f1", "f2", queue="video", kind="video")
        assert len(claim(tx, "w1", ["video", "image"], 3)) == 3
        assert len(claim(tx, "w1", ["video", "image"], 3)) == 1


def test_a_paused_queue_gives_nothing(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        pause(tx)
        assert claim(tx, "w1", ["image"], 4) == []


def test_jobs_with_an_open_call_go_first_even_past_a_pause(shared: Database) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        running(tx, "open", repeatable=False)
        presence.declare_lost(tx, "w1", 0)
        sweep.take_from_lost(tx)
        submitted(tx, "urgent", priority=9)
        assert job(tx, "open").resumes
        assert ids(claim(tx, "w2", ["image"], 1)) == ["open"]
        presence.declare_lost(tx, "w2", 0)
        sweep.take_from_lost(tx)
        presence.register(tx, registration("w3"))
        pause(tx)
        assert ids(claim(tx, "w3", ["image"], 4)) == ["open"]


def registration(name: str) -> presence.Registration:
    return presence.Registration(name, "worker", "host", "boot", 1, "1", None, "database", None, "[]", "[]", 4, "0")


def test_one_users_fifty_jobs_do_not_starve_another_users_one(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        submit(tx, [wish(f"a{n}") for n in range(50)])
        assert one_by_one(tx, 3) == ["a0", "a1", "a2"]
        submitted(tx, "b0", user="bob")
        assert "b0" in one_by_one(tx, 2)


def test_two_users_take_turns(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        submitted(tx, *(f"a{n}" for n in range(4)))
        submitted(tx, *(f"b{n}" for n in range(4)), user="bob")
        assert one_by_one(tx, 8) == ["a0", "b0", "a1", "b1", "a2", "b2", "a3", "b3"]


def test_a_user_of_long_jobs_gets_fewer_of_them(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        submitted(tx, "long1", "long2", share=4.0)
        submitted(tx, *(f"short{n}" for n in range(6)), user="bob", share=1.0)
        assert one_by_one(tx, 8) == ["long1", "short0", "short1", "short2", "short3", "long2", "short4", "short5"]


def test_who_was_away_gets_no_credit_for_it(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        submitted(tx, *(f"a{n}" for n in range(10)))
        one_by_one(tx, 8)
        submitted(tx, *(f"b{n}" for n in range(5)), user="bob")
        assert one_by_one(tx, 5)[:4] == ["b0", "a8", "b1", "a9"]


def served(tx: Tx, prefix: str, count: int, user: str) -> None:
    """A user whose jobs run one after the other: the clock of the queue goes on."""
    for n in range(count):
        submitted(tx, f"{prefix}{n}", user=user)
        (taken,) = claim(tx, "w1", ["image"], 1)
        complete(tx, taken)


def test_jobs_that_waited_for_their_start_time_do_not_overtake_everybody_when_it_comes(shared: Database) -> None:
    with scene(shared, users=("ann", "bob", "cat")) as tx:
        saved_up = [f"a{n}" for n in range(5)]
        submitted(tx, *saved_up, start_at=tx.now + 3600)
        served(tx, "b", 10, "bob")
        for name in saved_up:
            turn_back(tx, job(tx, name).number, "due_at")
        assert sweep.make_ready(tx) == 5
        submitted(tx, "c0", "c1", user="cat")
        assert [taken.id for taken in claim(tx, "w1", ["image"], 7)] == ["a0", "c0", "a1", "c1", "a2", "a3", "a4"]


def test_canceling_jobs_whose_turn_has_passed_buys_no_better_place(shared: Database) -> None:
    with scene(shared, users=("ann", "bob", "cat")) as tx:
        saved_up = [f"s{n}" for n in range(5)]
        submitted(tx, *saved_up, start_at=tx.now + 3600)
        served(tx, "b", 10, "bob")
        submitted(tx, *[f"a{n}" for n in range(5)])
        for name in saved_up:
            cancel(tx, name, "ann")
        submitted(tx, *[f"again{n}" for n in range(5)])
        submitted(tx, *[f"c{n}" for n in range(5)], user="cat")
        first = [taken.user_id for taken in claim(tx, "w1", ["image"], 10)]
        assert first.count("ann") == first.count("cat") == 5


def test_a_higher_priority_goes_first_whoever_waits(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        submitted(tx, "normal1", "normal2")
        submitted(tx, "low", user="bob", priority=-1)
        submitted(tx, "high1", "high2", priority=5)
        assert one_by_one(tx, 5) == ["high1", "high2", "normal1", "normal2", "low"]


def test_a_scheduled_job_is_not_claimed_before_it_is_due(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "later", start_at=tx.now + 500)
        assert sweep.make_ready(tx) == 0
        assert claim(tx, "w1", ["image"], 4) == []
        turn_back(tx, job(tx, "later").number, "due_at")
        assert claim(tx, "w1", ["image"], 4) == []
        assert sweep.make_ready(tx) == 1
        assert ids(claim(tx, "w1", ["image"], 4)) == ["later"]


def test_queues_are_served_in_the_order_named(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "i0", "i1")
        submitted(tx, "v0", "v1", queue="video", kind="video")
        assert ids(claim(tx, "w1", ["video", "image"], 1)) == ["v0"]
        assert ids(claim(tx, "w1", ["image", "video"], 1)) == ["i0"]
        assert ids(claim(tx, "w1", ["image", "video"], 4)) == ["i1", "v1"]


def test_a_job_that_resumes_waits_until_it_is_due(shared: Database) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        taken = running(tx, "a", repeatable=False)
        hand_back(tx, Return(taken.number, taken.fence, "not here", 30.0, False))
        assert job(tx, "a").resumes
        assert claim(tx, "w2", ["image"], 1) == []
        turn_back(tx, taken.number, "due_at")
        assert sweep.make_ready(tx) == 1
        pause(tx)
        assert ids(claim(tx, "w2", ["image"], 1)) == ["a"]
