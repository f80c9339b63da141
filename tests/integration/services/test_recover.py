"""After a restore nothing is sent again unasked, and whoever works for the lost days changes nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.services import outage, recover
from safelight.services.calls import Accepted, accepted
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.hand_back import Return, hand_back
from safelight.services.recover import NUMBER_GAP, REASON, Plan, Slice, close_doors, recover_slice
from safelight.services.sql import INTEGER, TEXT, arg
from safelight.store import numbers, tables
from safelight.store.database import Database
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx
from tests.integration.services.scene import (
    batched,
    calls_of,
    claimed,
    complete,
    events_of,
    hire,
    is_at_rest,
    job,
    ledger_of,
    pause,
    running,
    scene,
    set_scene,
    submitted,
    told,
    turn_back,
)

_FIRE = Change(sa.delete(tables.workers))
_RESUME = Change(sa.update(tables.queues).values(paused_at=None, pause_reason=None))
_PICK_UP = Change(
    sa.update(tables.jobs)
    .where(tables.jobs.c.number == arg("this_job", INTEGER))
    .values(resumed_call=arg("call", TEXT))
)


class Queue(NamedTuple):
    name: str
    paused_at: float | None
    pause_reason: str | None


_queues = tables.queues
_QUEUES = Query(sa.select(_queues.c.name, _queues.c.paused_at, _queues.c.pause_reason).order_by(_queues.c.name), Queue)


def from_backup(tx: Tx, *, fail_unsent: bool = False) -> Slice:
    """As a restored database: without workers, with all doors closed, recovered, and a new worker."""
    tx.run(_FIRE)
    pause(tx)
    done = recover_slice(tx, 0, fail_unsent=fail_unsent)
    assert recover_slice(tx, done.last or 0, fail_unsent=fail_unsent) == Slice(None)
    hire(tx, "new")
    return done


def taken(tx: Tx) -> list[str]:
    """Whom a new worker gets."""
    return [each.id for each in claim(tx, "new", ["image"], 10)]


def waits(row: Any) -> tuple[str, bool, bool]:
    return row.status, row.ready, row.resumes


def test_all_queues_are_paused_and_one_that_was_keeps_its_reason(database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx)
        pause(tx, "video")
        before = {queue.name: queue for queue in tx.all(_QUEUES)}
        assert close_doors(tx) == len(before) - 1
        after = {queue.name: queue for queue in tx.all(_QUEUES)}
    assert after["video"] == before["video"]
    assert after["image"].paused_at is not None
    assert after["image"].pause_reason == REASON


def test_no_job_gets_a_number_that_may_have_been_given_after_the_backup(database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx)
        submitted(tx, "before")
        close_doors(tx)
        submitted(tx, "after")
        assert job(tx, "after").number == job(tx, "before").number + NUMBER_GAP + 1
        assert numbers.highest_given(tx, tables.jobs) == job(tx, "after").number


def test_a_call_that_was_being_sent_becomes_unknown_and_is_looked_after_past_the_pause(shared: Database) -> None:
    with scene(shared) as tx:
        run = running(tx, "a", repeatable=False)
        assert from_backup(tx).unknown == 1
        row, (call,) = job(tx, "a"), calls_of(tx, run.number)
        assert waits(row) == ("pending", False, True)
        assert (row.attempt, row.lost_n) == (0, 0)
        assert (call.state, call.unknown_at is not None) == ("unknown", True)
        assert taken(tx) == ["a"]


def test_an_accepted_call_goes_on_by_its_remote_id_past_the_pause(shared: Database) -> None:
    with scene(shared) as tx:
        run = running(tx, "a", repeatable=False)
        assert accepted(tx, [Accepted("call-a", "remote-1")]) == [True]
        assert from_backup(tx).unknown == 0
        (call,) = calls_of(tx, run.number)
        assert (call.state, call.remote_id) == ("accepted", "remote-1")
        assert waits(job(tx, "a")) == ("pending", False, True)
        assert taken(tx) == ["a"]


def test_jobs_without_a_call_wait_behind_the_pause_until_the_operator_lets_them_go_on(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "waiting")
        claimed(tx, "claimed", priority=1)
        assert from_backup(tx).unsent == 0
        assert taken(tx) == []
        assert tx.run(_RESUME) == 2
        assert sorted(taken(tx)) == ["claimed", "waiting"]


def test_a_free_call_is_over_and_its_job_waits_like_the_others(shared: Database) -> None:
    with scene(shared) as tx:
        run = running(tx, "a", repeatable=True)
        assert from_backup(tx).unknown == 0
        assert [call.state for call in calls_of(tx, run.number)] == ["failed"]
        assert waits(job(tx, "a")) == ("pending", True, False)
        assert taken(tx) == []


def test_jobs_without_a_call_fail_on_request_and_get_their_hold_back(shared: Database) -> None:
    with scene(shared) as tx:
        running(tx, "sending", repeatable=False)
        claimed(tx, "claimed")
        submitted(tx, "waiting", "resuming")
        tx.run(_PICK_UP, this_job=job(tx, "resuming").number, call="call-of-another-job")
        assert from_backup(tx, fail_unsent=True).unsent == 2
        for name in ("claimed", "waiting"):
            row = job(tx, name)
            assert (row.status, is_at_rest(row)) == ("failed", True)
            assert '"provider_unknown"' in row.error
            assert [entry.kind for entry in ledger_of(tx, row.number)] == ["hold", "release"]
        assert [job(tx, name).status for name in ("sending", "resuming")] == ["pending", "pending"]


def test_a_worker_of_the_lost_days_changes_nothing_even_if_its_fence_would_have_come_again(shared: Database) -> None:
    with scene(shared) as tx:
        (at_backup,) = claimed(tx, "a")
        days_later = at_backup.fence + 2  # handed back and claimed again, after the backup
        from_backup(tx)
        tx.run(_RESUME)
        (again,) = claim(tx, "new", ["image"], 1)
        for fence in (at_backup.fence, days_later):
            zombie = again._replace(fence=fence)
            assert not complete(tx, zombie)
            assert not hand_back(tx, Return(zombie.number, fence, "busy", 0.0, True))
        assert complete(tx, again)


def test_clients_that_saw_later_news_before_the_loss_still_hear_what_comes(shared: Database) -> None:
    with scene(shared) as tx:
        (run,) = claimed(tx, "a")
        seen_before_the_loss = run.sequence + 2_000
        from_backup(tx)
        assert events_of(tx, run.number)[-1].sequence > seen_before_the_loss
        assert told(tx, run.number)[-1] == "requeued"


def test_a_job_that_was_to_be_canceled_and_has_no_call_ends_so(shared: Database) -> None:
    with scene(shared) as tx:
        claimed(tx, "a")
        assert cancel(tx, "a", "ann") == "processing"
        from_backup(tx)
        assert job(tx, "a").status == "canceled"


def test_items_fail_on_request_and_their_batch_ends_with_them(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "batch", ["i1", "i2"])
        from_backup(tx, fail_unsent=True)
        assert [job(tx, name).status for name in ("i1", "i2", "batch")] == ["failed"] * 3


def test_ended_jobs_are_left_as_they_were(shared: Database) -> None:
    with scene(shared) as tx:
        assert complete(tx, *claimed(tx, "a"))
        before = job(tx, "a")
        from_backup(tx, fail_unsent=True)
        assert job(tx, "a") == before


def test_the_plan_counts_what_is_done(shared: Database) -> None:
    with scene(shared) as tx:
        running(tx, "sending", repeatable=False)
        running(tx, "accepted", repeatable=False)
        assert accepted(tx, [Accepted("call-accepted", "remote-1")]) == [True]
        running(tx, "free", repeatable=True)
        submitted(tx, "waiting", price=7)
        assert complete(tx, *claimed(tx, "done", price=99, priority=1))
        queues = len(tx.all(_QUEUES))
        assert recover.plan(tx) == Plan(queues, 3, 1, 1, 2, 17)
        tx.run(_FIRE)
        done = recover_slice(tx, 0, fail_unsent=True)
        assert done[1:] == (2, 1, 2), "one of the three had no call and failed instead"
        assert recover.plan(tx) == Plan(queues, 0, 0, 2, 0, 0)


def test_recovering_again_does_no_harm(shared: Database) -> None:
    with scene(shared) as tx:
        running(tx, "a", repeatable=False)
        submitted(tx, "b")
        from_backup(tx)
        before = [waits(job(tx, name)) for name in "ab"], [call.state for call in calls_of(tx, job(tx, "a").number)]
        assert recover_slice(tx, 0, fail_unsent=False)[1:] == (0, 0, 0)
        assert before == ([waits(job(tx, name)) for name in "ab"], ["unknown"])


def test_after_an_outage_only_jobs_that_could_not_start_get_more_time(shared: Database) -> None:
    with scene(shared) as tx:
        (started,) = claimed(tx, "started")
        hand_back(tx, Return(started.number, started.fence, "busy", 0.0, True))
        claimed(tx, "running", priority=1)
        submitted(tx, "waiting", "overdue")
        submitted(tx, "tomorrow", start_at=tx.now + 86_400)
        turn_back(tx, job(tx, "overdue").number, "deadline_at", 60)
        names = ("started", "running", "waiting", "overdue", "tomorrow")
        before = {name: job(tx, name).deadline_at for name in names}
        waiting = outage.waiting_slice(tx, 0)
        assert waiting == [job(tx, "waiting").number, job(tx, "overdue").number]
        moved = outage.shift_deadlines(tx, waiting, 7_200)
        assert moved == 2
        gained = {name: round(job(tx, name).deadline_at - before[name]) for name in names}
        assert gained == {"started": 0, "running": 0, "waiting": 7_200, "overdue": 7_200, "tomorrow": 0}
        assert outage.waiting_slice(tx, waiting[-1]) == []


def test_a_job_that_starts_before_its_slice_is_written_keeps_its_deadline(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", "b")
        waiting = outage.waiting_slice(tx, 0)
        (first,) = claim(tx, "w1", ["image"], 1)
        before = job(tx, first.id).deadline_at
        assert outage.shift_deadlines(tx, waiting, 60) == 1
        assert job(tx, first.id).deadline_at == before
