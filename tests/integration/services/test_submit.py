"""Submit: holds, keys, refusals; as batches of one and of many, on both databases."""

from __future__ import annotations

import json

import pytest

from safelight.domain.errors import IdempotencyMismatch, InsufficientCredits
from safelight.services.cancel import cancel
from safelight.services.credits import balance_of
from safelight.services.submission import Replayed, Submitted
from safelight.services.submit import submit
from safelight.store.database import Database
from safelight.testing.books import assert_books_balance
from tests.integration.services.scene import (
    all_jobs,
    events_of,
    fund,
    job,
    ledger_of,
    scene,
    set_scene,
    submitted,
    tag_of,
    wish,
)


def test_a_job_is_pending_ready_and_its_price_is_held(shared: Database) -> None:
    with scene(shared, credits=100) as tx:
        assert submit(tx, [wish("a", price=30, max_wait_s=60, run_limit_s=20)]) == [Submitted("a")]
        made = job(tx, "a")
        assert (made.status, made.stage, made.ready, made.sequence, made.settled) == (
            "pending",
            "queued",
            True,
            1,
            False,
        )
        assert made.deadline_at == pytest.approx(made.created_at + 60)
        assert (made.fence, made.attempt, made.worker_id, made.due_at) == (0, 0, None, None)
        balance = balance_of(tx, "ann")
        assert (balance.balance, balance.held, balance.available) == (100, 30, 70)
        assert [(line.kind, line.balance_delta, line.held_delta) for line in ledger_of(tx, made.number)] == [
            ("hold", 0, 30)
        ]
        (event,) = events_of(tx, made.number)
        assert (event.sequence, event.type, json.loads(event.payload)) == (1, "job.submitted", {"price_credits": 30})


def test_a_job_that_the_account_does_not_cover_is_refused_and_leaves_no_trace(shared: Database) -> None:
    with scene(shared, credits=5) as tx:
        (answer,) = submit(tx, [wish("a", price=6)])
        assert isinstance(answer, InsufficientCredits)
        assert answer.evidence == {"account": "ann", "price": 6, "available": 5, "missing": 1}
        assert all_jobs(tx) == []
        assert tag_of(tx, "ann") == 0.0


def test_a_user_without_an_account_has_nothing_to_spend_but_may_have_what_is_free(shared: Database) -> None:
    with scene(shared, users=()) as tx:
        refused, free = submit(tx, [wish("a", "new", price=1), wish("b", "new", price=0)])
        assert isinstance(refused, InsufficientCredits)
        assert free == Submitted("b")


def test_a_batch_holds_what_fits_first_come_first_served(shared: Database) -> None:
    with scene(shared, users=("ann", "bob"), credits=25) as tx:
        answers = submit(
            tx,
            [wish("a1"), wish("b1", "bob"), wish("a2"), wish("a3"), wish("a4", price=5), wish("b2", "bob", price=16)],
        )
        assert [type(answer) for answer in answers] == [
            Submitted,
            Submitted,
            Submitted,
            InsufficientCredits,
            Submitted,
            InsufficientCredits,
        ]
        assert balance_of(tx, "ann").available == 0
        assert balance_of(tx, "bob").available == 15


def test_the_same_key_and_request_give_the_same_job(database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx)
        assert submit(tx, [wish("a", key="k")]) == [Submitted("a")]
    with database.transaction() as tx:
        assert submit(tx, [wish("b", key="k")]) == [Replayed("a")]
        assert [made.id for made in all_jobs(tx)] == ["a"]
        assert_books_balance(tx)


def test_the_same_key_for_another_request_is_refused_and_names_the_first_job(shared: Database) -> None:
    with scene(shared) as tx:
        submit(tx, [wish("a", key="k", request_hash="cat")])
        (answer,) = submit(tx, [wish("b", key="k", request_hash="dog")])
        assert isinstance(answer, IdempotencyMismatch)
        assert answer.evidence == {"key": "k", "job_id": "a"}
        assert len(all_jobs(tx)) == 1


def test_two_users_may_use_the_same_key(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        assert submit(tx, [wish("a", key="k"), wish("b", "bob", key="k")]) == [Submitted("a"), Submitted("b")]


def test_a_key_still_leads_to_its_job_after_the_job_ended(shared: Database) -> None:
    with scene(shared) as tx:
        submit(tx, [wish("a", key="k")])
        cancel(tx, "a", "ann")
        assert submit(tx, [wish("b", key="k")]) == [Replayed("a")]


def test_fifty_duplicates_in_one_batch_make_one_job(shared: Database) -> None:
    with scene(shared) as tx:
        answers = submit(tx, [wish(f"j{n}", key="k") for n in range(50)])
        (made,) = all_jobs(tx)
        assert set(answers) == {Submitted(made.id), Replayed(made.id)}
        assert answers.count(Submitted(made.id)) == 1
        assert balance_of(tx, "ann").held == 10


def test_a_refusal_is_not_remembered_under_its_key(shared: Database) -> None:
    with scene(shared, credits=5) as tx:
        (refused,) = submit(tx, [wish("a", key="k")])
        assert isinstance(refused, InsufficientCredits)
        fund(tx, "ann", 100)
        assert submit(tx, [wish("b", key="k")]) == [Submitted("b")]


def test_duplicates_of_a_refused_request_in_one_batch_are_refused_too(shared: Database) -> None:
    with scene(shared, credits=5) as tx:
        answers = submit(tx, [wish(f"j{n}", key="k") for n in range(20)])
        assert {type(answer) for answer in answers} == {InsufficientCredits}
        assert all_jobs(tx) == []
        assert tag_of(tx, "ann") == 0.0


def test_a_refused_request_does_not_keep_its_key_from_another_in_the_same_batch(shared: Database) -> None:
    with scene(shared, credits=5) as tx:
        refused, taken = submit(
            tx, [wish("a", key="k", price=6, request_hash="dear"), wish("b", key="k", price=4, request_hash="cheap")]
        )
        assert isinstance(refused, InsufficientCredits)
        assert taken == Submitted("b")
        assert submit(tx, [wish("c", key="k", price=4, request_hash="cheap")]) == [Replayed("b")]


def test_running_it_again_with_the_same_ids_makes_nothing_twice(database: Database) -> None:
    batch = [wish("a", key="k"), wish("b"), wish("c")]
    with database.transaction() as tx:
        set_scene(tx)
        first = submit(tx, batch)
    with database.transaction() as tx:
        assert submit(tx, [*batch, wish("d")]) == [*first, Submitted("d")]
        assert [made.id for made in all_jobs(tx)] == ["a", "b", "c", "d"]
        assert balance_of(tx, "ann").held == 40
        assert_books_balance(tx)


def test_a_scheduled_job_is_not_ready_and_its_deadline_counts_from_its_start(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "later", start_at=tx.now + 500, max_wait_s=60)
        made = job(tx, "later")
        assert not made.ready
        assert made.due_at == made.start_at == pytest.approx(tx.now + 500)
        assert made.deadline_at == pytest.approx(tx.now + 560)


def test_a_start_in_the_past_means_now(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "late", start_at=tx.now - 500, max_wait_s=60)
        made = job(tx, "late")
        assert made.ready
        assert made.deadline_at == pytest.approx(tx.now + 60)


def test_texts_of_every_script_survive(shared: Database) -> None:
    prompt = 'a "quoted" \\ naïve 猫 🦊 {brace}, NULL\nsecond line'
    with scene(shared) as tx:
        submitted(tx, "a", prompt=prompt, labels='{"order":"№ 7"}')
        assert (job(tx, "a").prompt, job(tx, "a").labels) == (prompt, '{"order":"№ 7"}')
