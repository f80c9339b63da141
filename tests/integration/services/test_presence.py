"""Presence: a beat that changes no row ends an identity; a loss is declared only if nobody beat meanwhile."""

from __future__ import annotations

import sqlalchemy as sa

from safelight.services import presence
from safelight.services.held import held_by
from safelight.services.presence import Beat
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Change
from tests.integration.services.scene import claimed, complete, scene, turn_back

_SWEPT_LONG_AGO = Change(sa.update(tables.workers).values(swept_at=sa.literal(1.0)))
BUSY = Beat("w1", 3, False, 1.5, 4096)


def test_a_beat_counts_and_says_how_the_process_is(shared: Database) -> None:
    with scene(shared) as tx:
        assert presence.beat(tx, BUSY)
        assert presence.beat(tx, BUSY._replace(busy=2, draining=True))
        (process,) = presence.processes(tx)
        assert (process.beat_n, process.busy, process.draining, process.loop_lag_ms, process.rss_bytes) == (
            2,
            2,
            True,
            1.5,
            4096,
        )
        assert process.queue_names == ["image"]
        assert process.provider_names == ["fake"]


def test_the_sweeps_of_a_process_have_a_beat_of_their_own(shared: Database) -> None:
    with scene(shared) as tx:
        assert presence.beat(tx, BUSY)
        (process,) = presence.processes(tx)
        assert (process.sweeps_n, process.swept_at) == (0, None)
        assert presence.beat(tx, BUSY._replace(sweeps_n=2))
        (swept,) = presence.processes(tx)
        assert (swept.sweeps_n, swept.swept_at) == (2, swept.beat_at)
        assert tx.run(_SWEPT_LONG_AGO) == 1
        assert presence.beat(tx, BUSY._replace(sweeps_n=2))
        (idle,) = presence.processes(tx)
        assert (idle.beat_n, idle.swept_at) == (3, 1.0), "it beats, and no longer sweeps"


def test_a_process_lost_long_ago_is_forgotten_once_it_holds_no_job(shared: Database) -> None:
    with scene(shared, workers=("live", "lost", "holds")) as tx:
        (held,) = claimed(tx, "a", worker="holds")
        for name in ("lost", "holds"):
            assert presence.declare_lost(tx, name, 0)
        old = [p.id for p in presence.processes(tx) if presence.is_forgettable(p, tx.now + 86_401)]
        assert sorted(old) == ["holds", "lost"]
        assert not any(presence.is_forgettable(p, tx.now + 86_399) for p in presence.processes(tx))
        assert presence.forget_lost(tx, [*old, "live"]) == 1
        assert sorted(p.id for p in presence.processes(tx)) == ["holds", "live"]
        assert complete(tx, held)
        assert presence.forget_lost(tx, old) == 1


def test_a_process_that_was_declared_lost_or_has_no_row_cannot_beat(shared: Database) -> None:
    with scene(shared) as tx:
        assert presence.declare_lost(tx, "w1", 0)
        assert not presence.beat(tx, BUSY)
        assert not presence.beat(tx, BUSY._replace(id="nobody"))
        (process,) = presence.processes(tx)
        assert process.lost_at == tx.now
        assert process.beat_n == 0


def test_a_loss_is_declared_only_of_the_beat_that_was_seen_and_only_once(shared: Database) -> None:
    with scene(shared) as tx:
        presence.beat(tx, BUSY)
        assert not presence.declare_lost(tx, "w1", 0)
        assert presence.declare_lost(tx, "w1", 1)
        assert not presence.declare_lost(tx, "w1", 1)
        assert not presence.declare_lost(tx, "nobody", 0)


def test_a_process_that_departs_leaves_no_row_and_may_do_so_twice(shared: Database) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        presence.depart(tx, "w1")
        presence.depart(tx, "w1")
        assert [process.id for process in presence.processes(tx)] == ["w2"]


def test_a_process_is_told_what_its_rows_say_it_holds_and_for_how_long(shared: Database) -> None:
    with scene(shared, workers=("w1", "w2")) as tx:
        mine, ended = claimed(tx, "mine", "ended")
        claimed(tx, "theirs", worker="w2")
        complete(tx, ended)
        turn_back(tx, mine.number, "claimed_at", 25)
        (held,) = held_by(tx, "w1")
        assert (held.number, held.fence, round(held.held_s)) == (mine.number, mine.fence, 25)


def test_a_loopback_address_leads_somewhere_on_its_own_machine_only(shared: Database) -> None:
    with scene(shared, workers=()) as tx:
        for n, (host, address) in enumerate(
            [("here", "127.0.0.1:1"), ("far", "127.0.0.1:2"), ("far", "postgres/x"), ("here", None), ("here", "gone")]
        ):
            presence.register(tx, presence.Registration(
                f"w{n}", "worker", host, "boot", 1, "1", None, "database", address, "[]", "[]", 4, "0"
            ))  # fmt: skip
        assert presence.declare_lost(tx, "w4", 0)
        found = presence.addresses(presence.processes(tx), host="here", boot_id="boot")
        assert sorted(found) == ["127.0.0.1:1", "postgres/x"]
