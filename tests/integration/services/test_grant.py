"""Grant and adjust: once per reference, never below what is held, and the books balance after each."""

from __future__ import annotations

import asyncio

import pytest

from safelight.domain.errors import CallerError, Conflict, ReferenceMismatch
from safelight.ledger.entries import Balance
from safelight.services.credits import account_of, balance_of
from safelight.services.grant import Gift, adjust, grant
from safelight.services.once import Posted
from safelight.store.database import Database
from safelight.store.tx import Tx
from safelight.testing.books import assert_books_balance
from tests.integration.services.answers import made, refused
from tests.integration.services.scene import claimed, complete, scene, submitted
from tests.integration.services.test_concurrency import PATIENCE_S, processes


def test_a_grant_opens_an_account_and_says_what_it_has_now(shared: Database) -> None:
    with scene(shared) as tx:
        assert account_of(tx, "new") is None
        answer = grant(tx, Gift("new", 70, "invoice 1", "thanks"))
        assert isinstance(answer, Posted)
        assert (answer.balance, answer.replayed) == (Balance(70), False)
        line = answer.line
        assert (line.user_id, line.kind, line.balance_delta, line.held_delta) == ("new", "grant", 70, 0)
        assert (line.balance_after, line.reference, line.note, line.job) == (70, "invoice 1", "thanks", None)
        assert balance_of(tx, "new") == Balance(70)


@pytest.mark.parametrize("post", [grant, adjust])
def test_repeating_a_reference_answers_the_first_entry_and_changes_nothing(shared: Database, post: object) -> None:
    assert callable(post)
    with scene(shared, credits=100) as tx:
        first = made(post(tx, Gift("ann", 7, "r1", "first")))
        made(post(tx, Gift("ann", 5, "r2")))
        again = post(tx, Gift("ann", 7, "r1", "again"))
        assert again == Posted(first, Balance(112), replayed=True)
        assert balance_of(tx, "ann") == Balance(112)


def test_a_reference_stands_for_one_entry_only(shared: Database) -> None:
    with scene(shared, users=("ann", "bob"), credits=100) as tx:
        made(grant(tx, Gift("ann", 7, "r")))
        others = [
            grant(tx, Gift("ann", 8, "r")),
            grant(tx, Gift("bob", 7, "r")),
            adjust(tx, Gift("ann", 7, "r")),
        ]
        for answer in others:
            error = refused(answer)
            assert isinstance(error, ReferenceMismatch)
            assert error.evidence == {"reference": "r", "kind": "grant", "amount": 7}
        assert (balance_of(tx, "ann"), balance_of(tx, "bob")) == (Balance(107), Balance(100))


def test_an_adjustment_takes_away_down_to_what_is_held_and_no_further(shared: Database) -> None:
    with scene(shared, credits=100) as tx:
        submitted(tx, "a", price=30)
        error = refused(adjust(tx, Gift("ann", -71, "r", "wrong invoice")))
        assert isinstance(error, Conflict)
        assert error.evidence == {"balance": 100, "held": 30, "available": 70}
        assert "at most 70" in error.remedy.text
        assert made(adjust(tx, Gift("ann", -70, "r", "wrong invoice"))).balance_after == 30
        assert balance_of(tx, "ann") == Balance(30, 30)


def test_an_adjustment_repeated_after_the_credits_are_spent_still_answers_the_first(shared: Database) -> None:
    with scene(shared, credits=100) as tx:
        first = made(adjust(tx, Gift("ann", -60, "r", "x")))
        (job,) = claimed(tx, "a", price=40)
        assert complete(tx, job)
        assert adjust(tx, Gift("ann", -60, "r", "x")) == Posted(first, Balance(0), replayed=True)


def test_of_grants_with_one_reference_at_the_same_moment_one_counts_whoever_they_are_for(
    database: Database, database_url: str
) -> None:
    """Different accounts, so that no account's lock keeps them apart."""

    async def scenario() -> list[Posted | CallerError]:
        async with asyncio.timeout(PATIENCE_S), processes(database, database_url) as pair:
            gifts = [Gift(f"user {n % 4}", 10, "one") for n in range(24)]
            return await asyncio.gather(*(pair[n % 2].write(grant, gift) for n, gift in enumerate(gifts)))

    answers = asyncio.run(scenario())
    posted = [answer for answer in answers if isinstance(answer, Posted)]
    assert [answer.replayed for answer in posted].count(False) == 1
    assert len(posted) == 6
    assert {type(answer) for answer in answers} == {Posted, ReferenceMismatch}
    with database.transaction() as tx:
        assert total(tx, 4) == 10
        assert_books_balance(tx)


def total(tx: Tx, users: int) -> int:
    return sum(balance_of(tx, f"user {n}").balance for n in range(users))
