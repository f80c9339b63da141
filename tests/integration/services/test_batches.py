"""Batches: all of the hold or none, items as ordinary jobs, counters that end the batch once, cancel, repair."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from safelight.domain.errors import IdempotencyMismatch, InsufficientCredits
from safelight.domain.jobs import Status
from safelight.services import batches, parents, sweep
from safelight.services.batches import cancel_items, cancel_left_items, recount_batches
from safelight.services.cancel import cancel
from safelight.services.claim import ClaimedJob, claim
from safelight.services.credits import balance_of
from safelight.services.finish import Ending, finish
from safelight.services.sql import INTEGER, arg
from safelight.services.submission import Replayed, Submitted
from safelight.services.submit_batch import submit_batch
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Change, Statement, Values
from safelight.store.tx import Tx
from tests.integration.services.scene import (
    all_jobs,
    batch_wish,
    batched,
    claimed,
    delivery,
    fund,
    is_at_rest,
    job,
    ledger_of,
    scene,
    submitted,
    tag_of,
    told,
    turn_back,
)

ITEMS = ("i1", "i2", "i3")
_LOSE_COUNTS = Change(
    sa.update(tables.batches)
    .where(tables.batches.c.job == arg("batch", INTEGER))
    .values(completed=0, failed=0, canceled=0)
)


def claim_items(tx: Tx, count: int = 9) -> dict[str, ClaimedJob]:
    return {each.id: each for each in claim(tx, "w1", ["image"], count)}


def fail(each: ClaimedJob) -> Ending:
    return Ending(each.number, each.fence, Status.FAILED, error="{}")


def ended_as(tx: Tx, *verdicts: str, at_once: bool = True) -> Any:
    """The row of a batch whose items ended like this."""
    names = [f"i{n}" for n in range(len(verdicts))]
    batched(tx, "b", names)
    running = claim_items(tx)
    for name, verdict in zip(names, verdicts, strict=True):
        if verdict == "canceled":
            cancel(tx, name, "ann")
    make = {"completed": delivery, "failed": fail, "canceled": lambda j: Ending(j.number, j.fence, Status.CANCELED)}
    endings = [make[verdict](running[name]) for name, verdict in zip(names, verdicts, strict=True)]
    for group in [endings] if at_once else [[ending] for ending in endings]:
        assert all(finish(tx, group))
    return job(tx, "b")


def test_a_batch_holds_the_sum_and_its_items_are_ordinary_jobs(shared: Database) -> None:
    with scene(shared, credits=100) as tx:
        batched(tx, "b", ITEMS, price=30)
        parent, items = job(tx, "b"), [job(tx, name) for name in ITEMS]
        assert (parent.kind, parent.status, parent.price, parent.queue) == ("batch", "pending", 0, "")
        assert (parent.ready, parent.resumes, parent.due_at, parent.parent) == (False, False, None, None)
        assert [(item.kind, item.status, item.ready, item.parent) for item in items] == [
            ("image", "pending", True, parent.number)
        ] * 3
        assert balance_of(tx, "ann").held == 90
        assert [line.held_delta for item in items for line in ledger_of(tx, item.number)] == [30, 30, 30]
        assert [told(tx, row.number) for row in (parent, *items)] == [["submitted"]] * 4


def test_a_batch_that_is_not_covered_is_refused_whole_and_leaves_no_trace(shared: Database) -> None:
    with scene(shared, credits=29) as tx:
        refused = submit_batch(tx, batch_wish("b", ITEMS, key="k"))
        assert isinstance(refused, InsufficientCredits)
        assert refused.evidence == {"account": "ann", "price": 30, "available": 29, "missing": 1}
        assert all_jobs(tx) == []
        assert tag_of(tx, "ann") == 0.0
        fund(tx, "ann", 1)
        assert submit_batch(tx, batch_wish("b2", ITEMS, key="k")) == Submitted("b2")


def test_a_key_stands_for_the_whole_batch(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "b", ITEMS, key="k", request_hash="asked")
        again = batch_wish("b2", ["x1", "x2", "x3"], key="k", request_hash="asked")
        assert submit_batch(tx, again) == Replayed("b")
        other = batch_wish("b3", ["y1"], key="k", request_hash="else")
        assert isinstance(submit_batch(tx, other), IdempotencyMismatch)
        assert len(all_jobs(tx)) == 4


def test_running_a_batch_again_with_the_same_ids_makes_nothing_twice(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "b", ITEMS)
        batched(tx, "b", ITEMS)
        assert len(all_jobs(tx)) == 4
        assert balance_of(tx, "ann").held == 30


def test_a_batch_is_processing_from_its_first_item_on_and_is_never_claimed_itself(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "b", ITEMS)
        claim_items(tx, 1)
        started = job(tx, "b")
        assert (started.status, started.stage, started.worker_id) == ("processing", "running", None)
        assert started.started_at == tx.now
        assert claim_items(tx).keys() == {"i2", "i3"}
        assert told(tx, started.number) == ["submitted", "started"]


def test_progress_is_the_share_of_items_that_have_ended(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "b", ITEMS)
        running = claim_items(tx)
        before = job(tx, "b").sequence
        finish(tx, [delivery(running["i1"])])
        row = job(tx, "b")
        assert (row.status, row.progress, row.sequence) == ("processing", pytest.approx(1 / 3), before + 1)
        finish(tx, [fail(running["i2"])])
        assert job(tx, "b").progress == pytest.approx(2 / 3)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("verdicts", "ends"),
    [
        (["completed", "completed"], "completed"),
        (["completed", "failed"], "partial"),
        (["completed", "canceled"], "partial"),
        (["failed", "failed"], "failed"),
        (["failed", "canceled"], "failed"),
        (["canceled", "canceled"], "canceled"),
        (["completed"], "completed"),
    ],
)
def test_a_batch_ends_with_its_last_item_and_says_so_once(
    shared: Database, verdicts: list[str], ends: str, at_once: bool
) -> None:
    with scene(shared) as tx:
        row = ended_as(tx, *verdicts, at_once=at_once)
        assert row.status == ends
        assert is_at_rest(row)
        assert row.progress == 1.0
        assert told(tx, row.number) == ["submitted", "started", ends]
        assert [line.kind for line in ledger_of(tx, row.number)] == [
            "hold",
            "capture" if ends in ("completed", "partial") else "release",
        ]


def test_a_failed_batch_says_how_its_items_ended(shared: Database) -> None:
    with scene(shared) as tx:
        error = json.loads(ended_as(tx, "failed", "canceled").error)
        assert error["code"] == "items_failed"
        assert "1 failed, 1 were canceled" in error["message"]
        assert error["remedy"]


def test_items_that_expire_end_their_batch(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "b", ITEMS)
        for row in all_jobs(tx):
            turn_back(tx, row.number, "deadline_at")
        assert sweep.expire(tx) == 3
        assert job(tx, "b").status == "failed"


def test_neither_a_deadline_nor_a_lost_worker_ends_a_batch_before_its_items(shared: Database) -> None:
    with scene(shared, workers=()) as tx:
        batched(tx, "b", ITEMS)
        turn_back(tx, job(tx, "b").number, "deadline_at")
        assert sweep.expire(tx) == 0
    with scene(shared) as tx:
        batched(tx, "b", ITEMS)
        claim_items(tx)
        tx.run(Change(sa.delete(tables.workers)))
        assert sweep.take_from_lost(tx) == 3
        row = job(tx, "b")
        assert (row.status, row.ready) == ("processing", False)


def test_cancel_flags_the_batch_and_then_ends_or_flags_every_item(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "b", ITEMS)
        running = claim_items(tx, 1)
        assert cancel(tx, "b", "ann") == "processing"
        assert (job(tx, "b").status, job(tx, "i2").status) == ("processing", "pending")
        assert cancel_items(tx, [job(tx, "b").number]) == 3
        assert [job(tx, name).status for name in ITEMS] == ["processing", "canceled", "canceled"]
        assert job(tx, "i1").cancel_requested_at is not None
        assert cancel_items(tx, [job(tx, "b").number]) == 0
        finish(tx, [Ending(running["i1"].number, running["i1"].fence, Status.CANCELED)])
        assert job(tx, "b").status == "canceled"
        assert told(tx, job(tx, "b").number) == ["submitted", "started", "cancel_requested", "canceled"]
        assert tag_of(tx, "ann") == 1.0


def test_canceling_a_batch_that_waits_says_pending_and_ends_it_with_its_items(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "b", ITEMS)
        assert cancel(tx, "b", "ann") == "pending"
        assert job(tx, "b").status == "pending"
        cancel_items(tx, [job(tx, "b").number])
        assert job(tx, "b").status == "canceled"
        assert cancel(tx, "b", "ann") == "ended"
        assert balance_of(tx, "ann").held == 0


def test_what_was_delivered_before_the_cancel_came_through_counts(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "b", ITEMS)
        running = claim_items(tx, 1)
        cancel(tx, "b", "ann")
        cancel_items(tx, [job(tx, "b").number])
        finish(tx, [delivery(running["i1"])])
        assert job(tx, "b").status == "partial"


def test_the_sweep_goes_on_with_a_cancel_whose_driver_died(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "b", ITEMS)
        batched(tx, "other", ["o1"])
        assert batches.look(tx).unheeded == 0
        cancel(tx, "b", "ann")
        assert batches.look(tx).unheeded == 1
        assert cancel_left_items(tx) == 3
        assert batches.look(tx).unheeded == 0
        assert (job(tx, "b").status, job(tx, "other").status) == ("canceled", "pending")


def test_a_cancel_takes_its_items_slice_by_slice(shared: Database) -> None:
    names = [f"i{n}" for n in range(batches.SLICE + 1)]
    with scene(shared, credits=10_000) as tx:
        batched(tx, "b", names)
        cancel(tx, "b", "ann")
        assert cancel_items(tx, [job(tx, "b").number]) == batches.SLICE
        assert job(tx, "b").status == "pending"
        assert cancel_items(tx, [job(tx, "b").number]) == 1
        assert job(tx, "b").status == "canceled"


def test_a_batch_whose_count_was_lost_is_counted_again_and_ends_as_it_should(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "b", ITEMS)
        running, number = claim_items(tx), job(tx, "b").number
        finish(tx, [delivery(running["i1"]), fail(running["i2"])])
        assert tx.run(_LOSE_COUNTS, batch=number) == 1
        assert recount_batches(tx) == 0
        finish(tx, [delivery(running["i3"])])
        assert (job(tx, "b").status, batches.look(tx).stale) == ("processing", 1)
        assert recount_batches(tx) == 1
        assert job(tx, "b").status == "partial"
        assert told(tx, number) == ["submitted", "started", "partial"]
        assert recount_batches(tx) == batches.look(tx).stale == 0


def test_jobs_without_a_batch_run_no_statement_of_batches(shared: Database) -> None:
    with scene(shared) as tx:
        first, _ = claimed(tx, "a", "b")
        submitted(tx, "c")
        ran = recorded(tx)
        claim(tx, "w1", ["image"], 1)
        finish(tx, [delivery(first)])
        cancel(tx, "c", "ann")
        assert ran
        assert not {text for text in ran if text in OF_PARENTS}
    with scene(shared) as tx:
        batched(tx, "b", ["i1"])
        ran = recorded(tx)
        finish(tx, [delivery(claim_items(tx)["i1"])])
        assert set(ran) >= OF_PARENTS


OF_PARENTS = {repr(parents._START), repr(parents._COUNT), repr(parents._END)}


def recorded(tx: Tx) -> list[str]:
    """The statements that a transaction runs for many rows from here on."""
    ran: list[str] = []
    inner = tx._many

    def recording(statement: Statement, rows: Sequence[Values]) -> list[Any]:
        ran.append(repr(statement))
        return inner(statement, rows)

    tx._many = recording  # type: ignore[method-assign]
    return ran
