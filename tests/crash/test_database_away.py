"""A database server that is away: processes wait for it, say why, and go on by themselves."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from safelight.store.connect import open_database
from safelight.testing.books import assert_books_balance
from tests.crash.conftest import LEASE_S
from tests.support.server import Installation, installation
from tests.support.wire import wired


def test_a_server_and_a_worker_outlast_a_database_that_is_away_for_longer_than_a_lease(
    tmp_path: Path, postgres_url: str
) -> None:
    with (
        wired(postgres_url) as (wire, through),
        installation(tmp_path / "made", database_url=through, lease_seconds=LEASE_S, sweep_seconds=0.5) as made,
    ):
        server = made.serve("--no-worker")
        worker = made.worker()
        ids = made.submit_many(8, width=512, height=512)
        worker.until("job.started", count=2)
        wire.cut()
        for process in (server, worker):
            hindered = process.until("database_hindered")
            assert hindered["error"]
            assert hindered["remedy"]
        until_lease_is_over(made)
        ready = made.request("GET", "/api/ready")
        assert ready.status_code == 503
        assert not ready.json()["checks"]["database"]["ok"]
        assert "could not be used" in ready.json()["checks"]["database"]["found"]
        wire.mend()
        jobs = made.until_ended(ids)
        assert {job["status"] for job in jobs} == {"completed"}
        for process in (server, worker):
            process.until("database_hindered_no_longer")
            loud = [line["event"] for line in process.lines if line["level"] in ("warning", "error")]
            assert len(loud) < 30, f"the same again and again: {loud}"
            assert process.drain() == 0
    with closing(open_database(postgres_url)) as database, database.transaction() as tx:
        assert_books_balance(tx)


def test_processes_that_start_before_their_database_wait_for_it_and_say_so(tmp_path: Path, postgres_url: str) -> None:
    with wired(postgres_url) as (wire, through), installation(tmp_path / "made", database_url=through) as made:
        wire.cut()
        server, worker = made.start("serve", "--port", "0", "--no-worker"), made.start("worker")
        for process in (server, worker):
            assert process.until("waiting_for_database")["error"]
        wire.mend()
        made.url = server.until("server.ready")["url"]
        worker.until("worker.started")
        assert made.request("GET", "/api/ready").status_code == 200
        assert [len(process.said("waiting_for_database")) for process in (server, worker)] == [1, 1]


def until_lease_is_over(made: Installation) -> None:
    """Ask until a whole lease has passed; the server answers meanwhile, in time, that it cannot work."""
    gone_at = time.monotonic()
    while time.monotonic() - gone_at < LEASE_S + 1:
        assert made.request("GET", "/api/live").status_code == 200
        assert made.request("GET", "/api/ready").status_code == 503
