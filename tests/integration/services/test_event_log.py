"""The stored events of a job: one per stored move, each with the sequence its row took."""

from __future__ import annotations

from safelight.domain.jobs import Status
from safelight.services import presence, sweep
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.finish import Ending, finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.progress import Step, progress
from safelight.store.database import Database
from tests.integration.services.scene import (
    complete,
    events_of,
    hire,
    job,
    scene,
    set_scene,
    submitted,
    told,
    turn_back,
)


def test_without_progress_sequences_have_no_gaps(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        number = job(tx, "a").number
        (taken,) = claim(tx, "w1", ["image"], 1)
        hand_back(tx, Return(number, taken.fence, "busy", 60, True))
        turn_back(tx, number, "due_at")
        sweep.make_ready(tx)
        claim(tx, "w1", ["image"], 1)
        presence.depart(tx, "w1")
        sweep.take_from_lost(tx)
        hire(tx, "w2")
        (taken,) = claim(tx, "w2", ["image"], 1)
        cancel(tx, "a", "ann")
        finish(tx, [Ending(number, taken.fence, Status.CANCELED)])
        assert told(tx, number) == [
            "submitted",
            "started",
            "retrying",
            "started",
            "requeued",
            "started",
            "cancel_requested",
            "canceled",
        ]
        assert [event.sequence for event in events_of(tx, number)] == list(range(1, 9))
        assert job(tx, "a").sequence == 8


def test_progress_takes_sequences_between_so_that_they_only_grow(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        (taken,) = claim(tx, "w1", ["image"], 1)
        for reached in (0.2, 0.4, 0.6):
            progress(tx, [Step(taken.number, taken.fence, "running", reached)])
        complete(tx, taken)
        assert [(event.sequence, event.type) for event in events_of(tx, taken.number)] == [
            (1, "job.submitted"),
            (2, "job.started"),
            (6, "job.completed"),
        ]


def test_whoever_waits_for_a_queue_a_job_or_a_user_is_woken_after_the_commit(database: Database) -> None:
    woken: list[tuple[str, ...]] = []
    database.waker = woken.append
    with database.transaction() as tx:
        set_scene(tx)
        submitted(tx, "a")
        assert woken == []
    assert {topic for topics in woken for topic in topics} == {"queue:image", "job:a", "user:ann"}
