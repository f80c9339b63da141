"""A job is explained from its rows, on both databases: what is read is what happened."""

from __future__ import annotations

from safelight.catalog.loading import load_catalog
from safelight.diagnosis.explain.explanation import Explanation, explain
from safelight.diagnosis.explain.find_job import find_job
from safelight.diagnosis.explain.look_job import Onlooking, look_at_job
from safelight.domain.gates import Toll, Verdict
from safelight.domain.jobs import Status
from safelight.domain.outcomes import ErrorClass, ProviderError
from safelight.services import gates, presence
from safelight.services.calls import Accepted, accepted
from safelight.services.finish import Ending, finish
from safelight.services.gate_parking import ShutGate, park
from safelight.services.gates import Heard
from safelight.services.hand_back import Return, hand_back
from safelight.services.job_error import error_json
from safelight.services.pause import pause
from safelight.store.database import Database
from safelight.store.tx import Tx
from tests.integration.services.scene import (
    batched,
    claimed,
    complete,
    fund,
    hire,
    job,
    running,
    scene,
    submitted,
    turn_back,
)

CATALOG = load_catalog()
ONE, OTHER = "01a21a95-6a1b-7476-af90-3f540133afc1", "01a21a95-6a1b-7476-af90-3f540133afc2"


def explained(tx: Tx, name: str, *tolls: Toll) -> Explanation:
    look = Onlooking(CATALOG, tolls, {}, is_live=lambda process, _: process.lost_at is None)
    facts = look_at_job(tx, name, look)
    assert facts is not None
    return explain(facts)


def verdict(tx: Tx, name: str, *tolls: Toll) -> str:
    return explained(tx, name, *tolls).primary.finding.code


def test_a_waiting_job_is_held_up_by_what_its_rows_say(shared: Database) -> None:
    with scene(shared, workers=("w1",)) as tx:
        submitted(tx, "a")
        submitted(tx, "film", queue="video")
        assert (verdict(tx, "a"), verdict(tx, "film")) == ("HEALTHY_WAIT", "NO_WORKER_FOR_QUEUE")
        pause(tx, "image", "a look at it")
        assert verdict(tx, "a") == "QUEUE_PAUSED"
        assert "a look at it" in explained(tx, "a").primary.finding.cause


def test_the_worker_that_served_its_queue_last_is_known(shared: Database) -> None:
    with scene(shared, workers=("w1",)) as tx:
        submitted(tx, "a")
        (process,) = presence.processes(tx)
        presence.declare_lost(tx, process.id, process.beat_n)
        finding = explained(tx, "a").primary.finding
        assert finding.code == "NO_WORKER_FOR_QUEUE"
        assert "was lost" in finding.cause


def test_a_try_that_failed_is_told_with_its_reason(shared: Database) -> None:
    with scene(shared) as tx:
        one = running(tx, "a")
        assert hand_back(tx, Return(one.number, one.fence, "The provider hung up.", 60.0, True, error_code="timeout"))
        found = explained(tx, "a")
        assert (found.primary.finding.code, found.primary.finding.cause) == ("SCHEDULED", "The provider hung up.")
        assert found.next is not None
        assert [step.stage for step in found.steps].count("queued") == 2


def test_a_shut_gate_in_front_of_it_is_told_with_the_providers_words(shared: Database) -> None:
    toll = Toll("fake", "key")
    with scene(shared) as tx:
        submitted(tx, "a")
        refusal = ProviderError(ErrorClass.UNAUTHORIZED, "no such key")
        gates.learn(tx, [Heard(toll, Verdict("c", refusal))])
        assert park(tx, "image", ShutGate("fake", ("fake",))) == 1
        for tolls in ((toll,), ()):  # also for who has not set that provider up
            finding = explained(tx, "a", *tolls).primary.finding
            assert (finding.code, finding.subject) == ("PROVIDER_UNAUTHORIZED", "fake")
            assert "no such key" in finding.cause


def test_a_running_job_is_well_until_its_worker_is_gone(shared: Database) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        one = running(tx, "a", repeatable=False)
        assert accepted(tx, [Accepted("call-a", "remote-7")]) == [True]
        found = explained(tx, "a")
        assert found.primary.finding.code == "HEALTHY_RUN"
        assert any("remote-7" in step.note for step in found.steps)
        process = next(p for p in presence.processes(tx) if p.id == "w1")
        presence.declare_lost(tx, "w1", process.beat_n)
        assert verdict(tx, "a") == "LEASE_EXPIRED"
        assert find_job(tx, "remote-7") == "a"
        assert one.id == "a"


def test_an_ended_job_is_explained_by_its_error(shared: Database) -> None:
    with scene(shared) as tx:
        good, bad = claimed(tx, "a", "b")
        assert complete(tx, good)
        error = error_json("content_rejected", "Not that.", "fake")
        assert finish(tx, [Ending(bad.number, bad.fence, Status.FAILED, [], error)]) == [True]
        assert (verdict(tx, "a"), verdict(tx, "b")) == ("DELIVERED", "CONTENT_REJECTED")
        assert "Not that." in explained(tx, "b").user


def test_a_batch_is_explained_by_its_first_item_that_waits(shared: Database) -> None:
    with scene(shared, workers=()) as tx:
        batched(tx, "batch", ["a", "b"])
        found = explained(tx, "batch")
        assert found.primary.finding.code == "NO_WORKER_FOR_QUEUE"
        assert found.user.startswith("0 of 2 items have ended.")


def test_a_job_is_found_by_whatever_people_have_of_it(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        submitted(tx, ONE, key="my-key", user="bob")
        submitted(tx, OTHER)
        for wanted in (ONE, ONE.upper(), f"http://127.0.0.1:8000/jobs/{ONE}", "my-key"):
            assert find_job(tx, wanted) == ONE
        assert find_job(tx, "nothing") is None


def test_a_job_that_was_left_behind_by_every_sweep_says_so(shared: Database) -> None:
    with scene(shared, workers=()) as tx:
        hire(tx, "w1")
        fund(tx, "cat")
        submitted(tx, "a", user="cat")
        turn_back(tx, job(tx, "a").number, "deadline_at", 600.0)
        assert verdict(tx, "a") == "SWEEPER_DEAD"
