"""Processes that are asked to end: what runs is finished or handed back, and nobody is left waiting for them."""

from __future__ import annotations

import os
import signal
import time

from tests.support.books import check_books, check_done_once
from tests.support.server import Installation
from tests.support.sse import watching

BIG = {"width": 2048, "height": 2048, "n": 10}


def test_a_server_asked_to_end_finishes_what_runs_and_leaves_the_rest_for_the_next(made: Installation) -> None:
    server = made.serve()
    ids = made.submit_many(20)
    server.until("job.completed", count=3)
    assert server.drain() == 0
    statuses = {row["status"] for row in made.rows("SELECT DISTINCT status FROM jobs")}
    assert statuses == {"completed", "pending"}
    assert made.rows("SELECT * FROM jobs WHERE status = 'pending' AND (attempt > 0 OR lost_n > 0)") == []
    assert made.rows("SELECT * FROM workers") == []
    assert made.rows("SELECT * FROM calls WHERE state <> 'succeeded'") == []
    check_books(made)
    made.serve()
    made.until_ended(ids)
    check_done_once(made, ids)


def test_a_worker_out_of_patience_hands_its_jobs_back_and_they_use_no_attempt(made: Installation) -> None:
    made.serve("--no-worker")
    worker = made.worker(drain_seconds=0)
    job_id = made.submit(**BIG)
    made.until_progress(job_id)
    assert worker.drain() == 0
    (row,) = made.rows("SELECT status, attempt, lost_n, worker_id FROM jobs")
    assert row == {"status": "pending", "attempt": 0, "lost_n": 0, "worker_id": None}
    assert [p["role"] for p in made.rows("SELECT role FROM workers")] == ["api"]
    handed_back = made.rows("SELECT type FROM events ORDER BY sequence DESC LIMIT 1")
    assert handed_back[0]["type"] in ("job.retrying", "job.requeued")
    made.worker()
    with watching(made.url, job_id, after=0) as watch:
        assert watch.until("job.progress")
    made.request("POST", f"/api/jobs/{job_id}/cancel")
    made.until_ended([job_id])
    check_books(made)


def test_a_worker_whose_renderer_hangs_still_ends_when_asked(made: Installation) -> None:
    made.serve("--no-worker")
    worker = made.worker(drain_seconds=0)
    job_id = made.submit(**BIG)
    made.until_progress(job_id)
    os.kill(worker.renderer(), signal.SIGSTOP)
    assert worker.drain() == 0
    other = made.worker()
    other.until("job.started")
    (row,) = made.rows("SELECT attempt FROM jobs")
    assert row["attempt"] == 1
    made.request("POST", f"/api/jobs/{job_id}/cancel")
    made.until_ended([job_id])
    check_books(made)


def test_a_second_request_to_end_is_obeyed_at_once(made: Installation) -> None:
    server = made.serve()
    job_id = made.submit(**BIG)
    made.until_progress(job_id)
    server.send(signal.SIGTERM)
    server.until("draining")
    asked_at = time.monotonic()
    server.send(signal.SIGTERM)
    assert server.wait() != 0
    assert time.monotonic() - asked_at < 1
    assert [row["status"] for row in made.rows("SELECT status FROM jobs")] == ["processing"]
    check_books(made)


def test_a_server_that_ends_ends_its_streams_of_events(made: Installation) -> None:
    server = made.serve("--no-worker")
    with watching(made.url, made.submit()) as watch:
        watch.next()
        asked_at = time.monotonic()
        server.send(signal.SIGTERM)
        assert watch.rest() == []
        assert time.monotonic() - asked_at < 3
    assert server.wait() == 0
