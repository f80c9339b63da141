"""Processes that are killed without warning lose nothing and do nothing twice."""

from __future__ import annotations

import os
import signal
import time

from tests.support.books import check_books, check_done_once
from tests.support.server import Installation


def test_a_server_killed_in_the_middle_of_20_jobs_completes_all_of_them_after_a_restart(made: Installation) -> None:
    server = made.serve()
    ids = made.submit_many(20)
    server.until("job.completed", count=5)
    server.kill()
    before = made.rows("SELECT status, count(*) n FROM jobs GROUP BY status")
    assert sum(row["n"] for row in before) == 20
    assert any(row["status"] != "completed" for row in before)
    check_books(made)
    made.serve()
    jobs = made.until_ended(ids)
    assert {job["status"] for job in jobs} == {"completed"}
    assert {job["attempt"] for job in jobs} == {1}
    check_done_once(made, ids)


def test_a_server_killed_right_after_its_answers_has_lost_none_of_the_jobs(made: Installation) -> None:
    server = made.serve("--no-worker")
    ids = made.submit_many(20)
    server.kill()
    made.serve()
    made.until_ended(ids)
    check_done_once(made, ids)


def test_the_jobs_of_a_killed_worker_are_picked_up_by_another_within_five_seconds(made: Installation) -> None:
    made.serve("--no-worker", lease_seconds=30)
    doomed = made.worker(lease_seconds=30)
    ids = made.submit_many(4, width=512, height=512, n=3)
    doomed.until("job.started", count=4)
    doomed.kill()
    killed_at = time.monotonic()
    other = made.worker(lease_seconds=30)
    other.until("job.started")
    assert time.monotonic() - killed_at < 5
    jobs = made.until_ended(ids)
    assert {(job["status"], job["attempt"], len(job["assets"])) for job in jobs} == {("completed", 1, 3)}
    requeued = made.rows("SELECT payload FROM events WHERE type = 'job.requeued'")
    assert requeued
    assert all("worker_lost" in row["payload"] for row in requeued)
    check_books(made)


def test_a_killed_renderer_costs_a_try_not_the_job(made: Installation) -> None:
    server = made.serve()
    job_id = made.submit(width=1024, height=1024, n=4)
    made.until_progress(job_id)
    os.kill(server.renderer(), signal.SIGKILL)
    (job,) = made.until_ended([job_id])
    assert job["status"] == "completed"


def test_two_workers_and_a_server_do_60_jobs_once_each(made: Installation) -> None:
    made.serve("--no-worker")
    workers = [made.worker() for _ in range(2)]
    ids = made.submit_many(60)
    made.until_ended(ids)
    check_done_once(made, ids)
    shares = [{line["job_id"] for line in worker.said("job.started")} for worker in workers]
    assert all(shares)
    assert shares[0].isdisjoint(shares[1])
    assert shares[0] | shares[1] == set(ids)
