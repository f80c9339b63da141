"""Processes that freeze: what they held ends in time, and what they say afterwards changes nothing."""

from __future__ import annotations

import os
import signal

from tests.support.books import check_books, check_done_once
from tests.support.server import Installation


def test_the_jobs_of_a_worker_frozen_beyond_its_lease_are_done_once(made: Installation) -> None:
    made.serve("--no-worker")
    frozen = made.worker()
    ids = made.submit_many(8, width=512, height=512)
    frozen.until("job.started", count=2)
    frozen.freeze()
    held = made.rows("SELECT id FROM jobs WHERE status = 'processing'")
    other = made.worker()
    made.until_ended(ids)
    assert len(other.said("job.completed")) >= len(held) > 0
    frozen.send(signal.SIGCONT)
    frozen.until("presence_lost")
    frozen.until("job.taken_away", count=len(held))
    check_done_once(made, ids)
    again = made.submit_many(6)
    made.until_ended(again)
    check_done_once(made, ids + again)


def test_a_job_whose_renderer_hangs_fails_at_its_deadline_and_its_hold_is_released(made: Installation) -> None:
    server = made.serve(deadline_image_seconds=6)
    made.until_ended([made.submit("the first one starts the renderer")])
    os.kill(server.renderer(), signal.SIGSTOP)
    job_id = made.submit(n=3)
    (job,) = made.until_ended([job_id])
    assert job["status"] == "failed"
    assert job["error"]["code"] == "deadline_exceeded"
    assert job["error"]["remedy"]
    assert job["credits"] == {"held": 0, "captured": 0, "released": 3}
    check_books(made)
    os.kill(server.renderer(), signal.SIGCONT)
    (next_job,) = made.until_ended([made.submit("life goes on")])
    assert next_job["status"] == "completed"


def test_a_job_that_no_worker_takes_fails_at_its_deadline(made: Installation) -> None:
    made.serve("--no-worker", max_wait_seconds=1)
    (job,) = made.until_ended([made.submit()])
    assert (job["status"], job["error"]["code"]) == ("failed", "deadline_exceeded")
    assert "worker" in job["error"]["message"]
    assert job["started_at"] is None
    check_books(made)
