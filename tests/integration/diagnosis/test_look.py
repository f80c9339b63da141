"""One look at the rows tells what rules need, in numbers that are right, on both databases."""

from __future__ import annotations

import sqlalchemy as sa

from safelight.diagnosis.facts import ErrorCount, ModelWait
from safelight.diagnosis.look import Look, look
from safelight.domain.gates import Toll
from safelight.domain.jobs import Status
from safelight.services import presence
from safelight.services.finish import Ending, finish
from safelight.services.gate_parking import ShutGate, park
from safelight.services.job_error import error_json
from safelight.services.pause import pause
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Change
from safelight.store.tx import Tx
from tests.integration.services.scene import batched, claimed, complete, job, running, scene, submitted, turn_back

_LEARN = Change(sa.insert(tables.durations), columns=("model", "jobs", "p50_s", "p95_s"))


def seen(tx: Tx, *tolls: Toll) -> Look:
    return look(tx, tolls, lambda process, _: process.lost_at is None, grace_s=15.0)


def test_of_a_queue_it_tells_what_waits_since_when_and_what_it_holds(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", "b", "c")
        submitted(tx, "later", start_at=tx.now + 3_600)
        batched(tx, "batch", ["d", "e"])
        turn_back(tx, job(tx, "b").number, "start_at", 90.0)
        running(tx, "f", queue="image", priority=5)
        (image, video) = seen(tx).rows.queues
        assert (image.name, image.waiting, image.delayed, image.running) == ("image", 5, 1, 1)
        assert image.credits_held == 50
        assert image.waiting_since is not None
        assert round(tx.now - image.waiting_since) == 90
        assert (video.waiting, video.waiting_since) == (0, None)


def test_it_tells_who_serves_a_queue_and_who_did_so_last(shared: Database) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        (process, _) = presence.processes(tx)
        presence.declare_lost(tx, process.id, process.beat_n)
        rows = seen(tx).rows
        assert len(rows.servers_of("image")) == 1
        assert rows.servers_of("video") == ()
        assert rows.last_seen("video") is None
        last = rows.last_seen("image")
        assert last is not None


def test_jobs_past_their_deadline_are_counted_those_that_rest_are_not(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", "b", "rests", queue="image")
        submitted(tx, "paused", queue="video")
        pause(tx, "video", "a look at it")
        for name in ("a", "b", "paused"):
            turn_back(tx, job(tx, name).number, "deadline_at", 60.0)
        turn_back(tx, job(tx, "rests").number, "deadline_at", 5.0)
        late = seen(tx).rows.past_deadline
        assert (late.jobs, late.credits, round(late.oldest_s)) == (2, 20, 60)


def test_what_the_first_in_a_queue_want_is_counted_by_model(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", "b", model="one")
        submitted(tx, "c", model="two", provider_pin="fake")
        found = seen(tx)
        assert sorted(found.rows.waits, key=lambda wait: wait.model) == [
            ModelWait("image", "one", None, 2, 20),
            ModelWait("image", "two", "fake", 1, 10),
        ]
        assert {"one", "two"} <= found.models_in_use


def test_how_jobs_ended_within_the_hour_is_counted_by_reason(shared: Database) -> None:
    with scene(shared) as tx:
        for done in claimed(tx, "a", "b", "old"):
            assert complete(tx, done)
        turn_back(tx, job(tx, "old").number, "finished_at", 7_200.0)
        for n, bad in enumerate(claimed(tx, "c", "d")):
            error = error_json("timeout", f"no answer, {n}", "fake")
            assert finish(tx, [Ending(bad.number, bad.fence, Status.FAILED, [], error)]) == [True]
        rows = seen(tx).rows
        assert set(rows.ended) == {
            ErrorCount("completed", None, None, 2, 20),
            ErrorCount("failed", "timeout", "fake", 2, 20),
        }
        assert rows.queues[0].per_minute == 4 / 5


def test_a_job_is_slow_when_it_takes_twice_what_nearly_all_of_its_model_needed(shared: Database) -> None:
    with scene(shared) as tx:
        tx.many(_LEARN, [{"model": "fake", "jobs": 9, "p50_s": 5.0, "p95_s": 10.0}])
        one, _ = claimed(tx, "a", "b")
        turn_back(tx, one.number, "started_at", 60.0)
        ((model, jobs, longest_s, p95_s),) = seen(tx).rows.slow
        assert (model, jobs, round(longest_s), p95_s) == ("fake", 1, 60, 10.0)


def test_credits_that_accounts_hold_are_those_of_their_unfinished_jobs(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        submitted(tx, "a", "b")
        submitted(tx, "c", user="bob")
        (done,) = claimed(tx, "d", priority=9)
        assert complete(tx, done)
        rows = seen(tx).rows
        assert (rows.held_by_accounts, rows.held_by_jobs) == (30, 30)


def test_jobs_in_front_of_a_gate_are_told_with_it(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", "b")
        assert park(tx, "image", ShutGate("fake", ("fake",))) == 2
        found = seen(tx, Toll("fake", "key"))
        assert [(line.standing.toll.provider, line.waiting) for line in found.board.lines] == [("fake", 2)]
        assert found.rows.queues[0].parked == 2
