"""Who left a queue last stays known, when nobody serves it any more."""

from __future__ import annotations

from safelight.services import departures, presence
from safelight.services.departures import FAILED, TOO_OLD, Leaver, last_departures, note
from safelight.services.presence import Registration
from safelight.store.database import Database
from tests.integration.services.scene import scene


def test_a_worker_that_leaves_in_good_order_is_remembered_for_each_of_its_queues(shared: Database) -> None:
    with scene(shared) as tx:
        left = next(process for process in presence.processes(tx) if process.slots)
        presence.depart(tx, left.id)
        found = last_departures(tx)
        assert set(found) == set(left.queue_names)
        last = found[left.queue_names[0]]
        assert (last.pid, last.host, last.reason) == (left.pid, left.host, departures.STOPPED)
        assert last.left_at == tx.now


def test_of_two_that_left_the_later_is_remembered_and_why(shared: Database) -> None:
    with scene(shared) as tx:
        for pid, reason in ((1, FAILED), (2, TOO_OLD)):
            note(tx, Leaver("worker", "here", pid, "0.1", '["video"]'), reason)
        assert (last_departures(tx)["video"].pid, last_departures(tx)["video"].reason) == (2, TOO_OLD)


def test_a_server_without_jobs_of_its_own_leaves_nothing_behind(shared: Database) -> None:
    with scene(shared) as tx:
        server = Registration("api", "api", "here", "boot", 1, "1", None, "database", None, '["image"]', "[]", 0, "1")
        presence.register(tx, server)
        presence.depart(tx, "api")
        assert last_departures(tx) == {}
