"""Finish: who still holds the job ends it, once, with its assets, credits, call and event."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
import pytest

from safelight.domain.jobs import Status
from safelight.ledger.entries import Entry, capture, release
from safelight.services.calls import CallOutcome
from safelight.services.cancel import cancel
from safelight.services.credits import Books, balance_of
from safelight.services.finish import Ending, finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.progress import Step, progress
from safelight.store.database import Database
from safelight.store.tx import Tx
from tests.integration.services.scene import (
    assets_of,
    calls_of,
    claimed,
    complete,
    delivery,
    is_at_rest,
    job,
    ledger_of,
    running,
    scene,
    told,
)

REFUSED = (sqlite3.IntegrityError, psycopg.errors.UniqueViolation)


def test_a_delivered_job_is_completed_paid_and_at_rest(shared: Database) -> None:
    with scene(shared, credits=100) as tx:
        taken = running(tx, "a", price=30, outputs=2)
        ending = delivery(taken, pictures=2, call=CallOutcome("call-a", "succeeded", 0.02))
        assert finish(tx, [ending]) == [True]
        row = job(tx, "a")
        assert is_at_rest(row)
        assert (row.status, row.stage, row.progress, row.captured, row.error) == (
            "completed",
            "delivered",
            1.0,
            30,
            None,
        )
        assert row.fence == taken.fence + 1
        assert [asset.n for asset in assets_of(tx, taken.number)] == [0, 1]
        assert [(call.state, call.cost_usd) for call in calls_of(tx, taken.number)] == [("succeeded", 0.02)]
        assert [line.kind for line in ledger_of(tx, taken.number)] == ["hold", "capture"]
        assert balance_of(tx, "ann").available == 70
        assert told(tx, taken.number) == ["submitted", "started", "completed"]


@pytest.mark.parametrize(("charge", "paid"), [(None, 30), (0, 0), (12, 12), (30, 30), (31, 30), (10**9, 30)])
def test_a_text_is_paid_by_use_where_that_is_known_and_never_costs_more_than_was_held(
    shared: Database, charge: int | None, paid: int
) -> None:
    with scene(shared, credits=100) as tx:
        taken = running(tx, "a", price=30, kind="text")
        written = Ending(taken.number, taken.fence, Status.COMPLETED, text="Once.", charge=charge)
        assert finish(tx, [written]) == [True]
        row = job(tx, "a")
        assert is_at_rest(row)
        assert (row.status, row.stage, row.text, row.captured) == ("completed", "delivered", "Once.", paid)
        assert balance_of(tx, "ann").available == 100 - paid


def test_texts_and_pictures_end_in_one_batch(shared: Database) -> None:
    with scene(shared) as tx:
        text, picture = running(tx, "t", price=30, kind="text"), running(tx, "p", price=20, outputs=2)
        endings = [
            Ending(text.number, text.fence, Status.COMPLETED, text="Once.", charge=7),
            delivery(picture, pictures=1),
        ]
        assert finish(tx, endings) == [True, True]
        assert [(job(tx, name).text, job(tx, name).captured) for name in "tp"] == [("Once.", 7), (None, 10)]


def test_what_was_written_before_a_failure_stays(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", kind="text")
        progress(tx, [Step(taken.number, taken.fence, "running", 0.5, text="It was")])
        finish(tx, [Ending(taken.number, taken.fence, Status.FAILED, error="{}")])
        assert (job(tx, "a").text, job(tx, "a").captured) == ("It was", 0)


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELED])
def test_a_job_that_delivered_nothing_gets_its_whole_hold_back(shared: Database, status: Status) -> None:
    with scene(shared, credits=100) as tx:
        (taken,) = claimed(tx, "a", price=30)
        error = '{"code":"content_rejected"}' if status == Status.FAILED else None
        assert finish(tx, [Ending(taken.number, taken.fence, status, (), error)]) == [True]
        row = job(tx, "a")
        assert is_at_rest(row)
        assert (row.status, row.captured, row.error) == (status, 0, error)
        assert [line.kind for line in ledger_of(tx, taken.number)] == ["hold", "release"]
        assert balance_of(tx, "ann").available == 100
        assert told(tx, taken.number)[-1] == str(status)


@pytest.mark.parametrize(
    ("price", "outputs", "delivered", "captured"),
    [(10, 3, 1, 3), (10, 3, 2, 6), (10, 3, 3, 10), (1, 2, 1, 0), (0, 1, 1, 0)],
)
def test_the_captured_price_is_the_delivered_part_rounded_down(
    shared: Database, price: int, outputs: int, delivered: int, captured: int
) -> None:
    with scene(shared, credits=100) as tx:
        (taken,) = claimed(tx, "a", price=price, outputs=outputs)
        assert complete(tx, taken, pictures=delivered)
        assert job(tx, "a").captured == captured
        assert balance_of(tx, "ann").available == 100 - captured


def test_a_batch_of_winners_and_losers_answers_in_order_and_records_what_losers_learnt(shared: Database) -> None:
    with scene(shared) as tx:
        won, gone, failed = running(tx, "won"), running(tx, "gone", repeatable=False), running(tx, "failed")
        hand_back(tx, Return(gone.number, gone.fence, "why", 0, False))
        endings = [
            delivery(gone, call=CallOutcome("call-gone", "succeeded", 0.5)),
            delivery(won, call=CallOutcome("call-won", "succeeded", 0.1)),
            Ending(10**9, 1, Status.COMPLETED),
            Ending(
                failed.number, failed.fence, Status.FAILED, (), "{}", CallOutcome("call-failed", "failed", error="no")
            ),
        ]
        assert finish(tx, endings) == [False, True, False, True]
        assert [job(tx, name).status for name in ("won", "gone", "failed")] == ["completed", "pending", "failed"]
        # Whoever holds the job now must find this call open, or it would make another.
        assert [call.state for call in calls_of(tx, gone.number)] == ["sending"]
        assert [len(assets_of(tx, taken.number)) for taken in (won, gone, failed)] == [1, 0, 0]


def test_a_job_ends_only_once_however_often_it_is_said(shared: Database) -> None:
    with scene(shared) as tx:
        (taken,) = claimed(tx, "a")
        assert complete(tx, taken)
        after = job(tx, "a")
        assert not complete(tx, taken)
        for fence in range(taken.fence + 3):
            assert finish(tx, [Ending(taken.number, fence, Status.FAILED, (), "{}")]) == [False]
        assert job(tx, "a") == after
        assert told(tx, taken.number).count("completed") == 1


def test_who_delivers_after_the_wish_to_cancel_has_won(shared: Database) -> None:
    with scene(shared) as tx:
        (taken,) = claimed(tx, "a")
        assert cancel(tx, "a", "ann") == "processing"
        assert complete(tx, taken)
        assert job(tx, "a").status == "completed"
        assert cancel(tx, "a", "ann") == "ended"


def test_the_price_held_on_the_row_counts_for_many_jobs_of_many_users_at_once(shared: Database) -> None:
    with scene(shared, users=("ann", "bob"), credits=100) as tx:
        jobs = [*claimed(tx, "a1", "a2", price=7), *claimed(tx, "b1", user="bob", price=9)]
        assert finish(tx, [delivery(taken) for taken in jobs]) == [True] * 3
        assert (balance_of(tx, "ann").balance, balance_of(tx, "bob").balance) == (86, 91)


@pytest.mark.parametrize("kind", ["capture", "release"])
def test_the_database_itself_refuses_a_second_settlement(shared: Database, kind: str) -> None:
    with pytest.raises(REFUSED, match=r"uq_ledger_settlement|ledger\.job"), scene(shared) as tx:
        settle_twice(tx, capture if kind == "capture" else release)


def settle_twice(tx: Tx, settlement: Any) -> None:
    (taken,), _ = claimed(tx, "a", price=5), claimed(tx, "another hold", price=5)
    assert complete(tx, taken)
    again = settlement(5, job=taken.number) if settlement is release else settlement(5, 5, job=taken.number)
    post(tx, job(tx, "a").account, again)


def post(tx: Tx, account: int, entry: Entry) -> None:
    books = Books.of_accounts(tx, [account])
    books.post(account, entry)
    books.close()


def test_an_entry_that_the_account_does_not_cover_is_a_bug_and_raises(shared: Database) -> None:
    with scene(shared) as tx:
        (taken,) = claimed(tx, "a", price=5)
        account = job(tx, "a").account
        books = Books.of_accounts(tx, [account])
        with pytest.raises(ValueError, match="does not cover"):
            books.post(account, release(6, job=taken.number))
