"""Progress: newest wins, under the lease, and it tells the worker whether to go on."""

from __future__ import annotations

from safelight.services import read_jobs
from safelight.services.cancel import cancel
from safelight.services.hand_back import Return, hand_back
from safelight.services.progress import Standing, Step, progress, standing
from safelight.store.database import Database
from tests.integration.services.scene import claimed, complete, job, scene, told

GO_ON, LOST, CANCELED = Standing(True, False), Standing(False, False), Standing(True, True)


def test_a_step_overwrites_the_row_and_takes_the_next_sequence_without_an_event(shared: Database) -> None:
    with scene(shared) as tx:
        (taken,) = claimed(tx, "a")
        assert progress(tx, [Step(taken.number, taken.fence, "running", 0.25)]) == [GO_ON]
        assert progress(tx, [Step(taken.number, taken.fence, "uploading", 1.0)]) == [GO_ON]
        row = job(tx, "a")
        assert (row.stage, row.progress, row.sequence, row.fence) == ("uploading", 1.0, taken.sequence + 2, taken.fence)
        assert told(tx, taken.number) == ["submitted", "started"]


def test_a_batch_with_duplicates_keeps_the_newest_and_answers_all(shared: Database) -> None:
    with scene(shared) as tx:
        one, two = claimed(tx, "a", "b")
        steps = [Step(j.number, j.fence, "running", reached) for reached in (0.1, 0.2, 0.3) for j in (one, two)]
        assert progress(tx, steps) == [GO_ON] * 6
        assert [(job(tx, name).progress, job(tx, name).sequence) for name in "ab"] == [(0.3, one.sequence + 1)] * 2


def test_who_lost_the_lease_hears_so_and_changes_nothing(shared: Database) -> None:
    with scene(shared) as tx:
        lost, kept = claimed(tx, "lost", "kept")
        hand_back(tx, Return(lost.number, lost.fence, "why", 0, False))
        before = job(tx, "lost")
        steps = [
            Step(lost.number, lost.fence, "running", 0.5, "image/webp", "late"),
            Step(kept.number, kept.fence, "running", 0.5),
            Step(10**9, 1, "running", 0.5),
        ]
        assert progress(tx, steps) == [LOST, GO_ON, LOST]
        assert job(tx, "lost") == before
        assert read_jobs.preview(tx, "lost") is None
        assert standing(tx, lost.number, lost.fence) == LOST


def test_the_wish_to_cancel_is_seen_with_the_next_step(shared: Database) -> None:
    with scene(shared) as tx:
        (taken,) = claimed(tx, "a")
        assert standing(tx, taken.number, taken.fence) == GO_ON
        cancel(tx, "a", "ann")
        assert progress(tx, [Step(taken.number, taken.fence, "running", 0.5)]) == [CANCELED]
        assert standing(tx, taken.number, taken.fence) == CANCELED


def test_only_the_latest_preview_is_kept_and_it_is_gone_when_the_job_ends(shared: Database) -> None:
    with scene(shared) as tx:
        (taken,) = claimed(tx, "a")
        for n, data in enumerate(("one", "two")):
            progress(tx, [Step(taken.number, taken.fence, "running", 0.1 * n, "image/webp", data)])
        progress(tx, [Step(taken.number, taken.fence, "running", 0.5)])
        shown = read_jobs.preview(tx, "a")
        assert shown is not None
        assert (shown.mime, shown.data, shown.sequence) == ("image/webp", "two", taken.sequence + 2)
        complete(tx, taken)
        assert read_jobs.preview(tx, "a") is None


def test_looking_at_the_standing_changes_nothing(shared: Database) -> None:
    with scene(shared) as tx:
        (taken,) = claimed(tx, "a")
        before = job(tx, "a")
        standing(tx, taken.number, taken.fence)
        assert job(tx, "a") == before
