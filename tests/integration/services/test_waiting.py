"""How many jobs wait for a worker, and what they hold."""

from __future__ import annotations

from safelight.services.cancel import cancel
from safelight.services.read_jobs import COUNT_AHEAD
from safelight.services.submit import submit
from safelight.services.waiting import Waiting, waiting
from safelight.store.database import Database
from tests.integration.services.scene import claimed, scene, submitted, wish


def test_only_jobs_that_wait_count_with_what_they_hold(shared: Database) -> None:
    with scene(shared) as tx:
        assert waiting(tx) == Waiting(0, 0)
        claimed(tx, "runs", priority=9)
        submitted(tx, "gone")
        cancel(tx, "gone", "ann")
        submit(
            tx, [wish("a", price=3), wish("b", price=4, queue="video"), wish("later", price=5, start_at=tx.now + 60)]
        )
        assert waiting(tx) == Waiting(3, 12)


def test_a_long_queue_is_counted_only_so_far(shared: Database) -> None:
    with scene(shared, credits=10**6) as tx:
        submit(tx, [wish(f"a{n}", price=2) for n in range(COUNT_AHEAD + 3)])
        assert waiting(tx) == Waiting(COUNT_AHEAD, 2 * COUNT_AHEAD)
