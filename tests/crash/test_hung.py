"""A process whose event loop hangs says where, ends, and loses its jobs to others."""

from __future__ import annotations

from tests.crash.conftest import LEASE_S
from tests.support import hanging_worker
from tests.support.books import check_books, check_done_once
from tests.support.server import Installation


def test_a_worker_whose_loop_hangs_ends_with_its_stacks_and_its_jobs_are_done_by_another(made: Installation) -> None:
    made.serve("--no-worker")
    hung = made.worker(program=hanging_worker.__file__)
    ids = made.submit_many(3)
    assert hung.wait() == 70
    hung.until("event_loop_hung")
    assert any("block_the_loop" in line for line in hung.noise), hung.tail()
    assert hung.said("event_loop_hung")[0]["for_s"] >= LEASE_S
    made.worker()
    jobs = made.until_ended(ids)
    assert {job["status"] for job in jobs} == {"completed"}
    check_done_once(made, ids)
    check_books(made)
