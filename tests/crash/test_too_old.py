"""A worker of a release that is no longer wanted finishes what it runs, says why, and ends for good."""

from __future__ import annotations

import signal

import pytest

from safelight.services.required_version import require_version
from safelight.store.connect import open_database
from tests.support.books import check_books
from tests.support.server import Installation


def test_an_older_worker_ends_and_does_not_come_back_before_it_is_upgraded(made: Installation) -> None:
    made.serve("--no-worker")
    worker = made.worker()
    job_id = made.submit(width=1024, height=1024)
    made.until_progress(job_id)
    database = open_database(f"sqlite:///{made.database}")
    with database.transaction() as tx:
        require_version(tx, "999.0")
    assert "999.0" in worker.until("worker_too_old")["error"]
    assert worker.wait() == 1
    assert [job["status"] for job in made.until_ended([job_id])] == ["completed"], "it finished what it ran"
    again = made.start("worker")
    assert again.wait() != 0
    assert "999.0" in again.tail()
    with database.transaction() as tx:
        require_version(tx, "0")
    database.close()
    made.worker()
    assert [job["status"] for job in made.until_ended([made.submit()])] == ["completed"]
    check_books(made)


@pytest.mark.parametrize("point", ["note.before_commit", "note.after_commit"])
def test_a_worker_killed_as_it_is_turned_away_holds_nothing_up(made: Installation, point: str) -> None:
    made.serve("--no-worker")
    database = open_database(f"sqlite:///{made.database}")
    with database.transaction() as tx:
        require_version(tx, "999.0")
    doomed = made.begin_worker(test_mode=1, test_crash=f"{point}=kill")
    assert doomed.wait() == -signal.SIGKILL
    left = made.rows("SELECT reason FROM departures WHERE queue = 'image'")
    assert left == ([{"reason": "too_old"}] if point == "note.after_commit" else [])
    with database.transaction() as tx:
        require_version(tx, "0")
    database.close()
    made.worker()
    assert [job["status"] for job in made.until_ended([made.submit()])] == ["completed"]
