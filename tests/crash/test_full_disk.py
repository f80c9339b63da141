"""A disk that is full: whoever submits is told, what runs waits, and all of it goes on once there is room."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.books import check_books, check_done_once
from tests.support.server import PATIENCE_S, Installation, Running


@contextmanager
def no_room(process: Running) -> Iterator[None]:
    """No byte more fits into any file of the process: it gets EFBIG where a full disk would say ENOSPC."""
    before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)


def test_a_server_whose_disk_is_full_says_so_and_goes_on_by_itself_once_there_is_room(made: Installation) -> None:
    server = made.serve()
    ids = made.submit_many(4, width=512, height=512)
    server.until("job.started")
    with no_room(server):
        hindered = server.until("database_hindered")
        assert hindered["remedy"]
        refused = made.request("POST", "/api/jobs", json={"kind": "image", "prompt": "one more"})
        assert refused.status_code == 503, refused.text
        assert refused.json()["remedy"]
        ready = made.request("GET", "/api/ready")
        assert (ready.status_code, ready.json()["checks"]["database"]["ok"]) == (503, False)
        assert made.request("GET", f"/api/jobs/{ids[0]}").is_success, "what can be read is shown"
    server.until("database_hindered_no_longer")
    made.until_ended(ids)
    until_ready(made)
    again = made.submit("there is room")
    made.until_ended([again])
    check_done_once(made, [*ids, again])
    check_books(made)
    assert len(server.said("database_hindered")) == 1
    assert server.drain() == 0, "it was never started anew"


def until_ready(made: Installation) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while made.request("GET", "/api/ready").status_code != 200:
        assert time.monotonic() < give_up_at
