"""Refund: at most what a job paid, once per reference, however many come at the same moment."""

from __future__ import annotations

import asyncio
import threading

import pytest

from safelight.domain.errors import CallerError, Conflict, ReferenceMismatch
from safelight.domain.jobs import Status
from safelight.ledger.entries import Balance
from safelight.services.credits import balance_of
from safelight.services.finish import Ending, finish
from safelight.services.grant import Gift, grant
from safelight.services.once import Posted
from safelight.services.refund import Paid, Refund, paid_for, refund
from safelight.store.connect import open_database
from safelight.store.database import Database
from safelight.store.tx import Tx
from safelight.testing.books import assert_books_balance
from tests.integration.services.answers import made, refused
from tests.integration.services.scene import claimed, complete, job, ledger_of, scene, set_scene, submitted
from tests.integration.services.test_concurrency import PATIENCE_S, processes

WAITS_S = 0.5
"""Long enough for a refund that waits for nobody."""


def paid(tx: Tx, name: str = "a", *, price: int = 30, outputs: int = 1, pictures: int = 1) -> int:
    """The number of a job that was delivered and has paid."""
    (taken,) = claimed(tx, name, price=price, outputs=outputs)
    assert complete(tx, taken, pictures=pictures)
    return taken.number


def test_everything_a_job_paid_goes_back_when_no_amount_is_named(shared: Database) -> None:
    with scene(shared, credits=100) as tx:
        number = paid(tx, price=30)
        line = made(refund(tx, Refund("a", None, "r", "it was blurred")))
        assert (line.kind, line.balance_delta, line.held_delta, line.balance_after) == ("refund", 30, 0, 100)
        assert (line.job, line.job_id, line.user_id, line.note) == (number, "a", "ann", "it was blurred")
        assert balance_of(tx, "ann") == Balance(100)
        assert [entry.kind for entry in ledger_of(tx, number)] == ["hold", "capture", "refund"]
        assert job(tx, "a").captured == 30


def test_refunds_of_a_job_sum_to_what_was_captured_and_not_to_its_price(shared: Database) -> None:
    with scene(shared, credits=100) as tx:
        number = paid(tx, price=30, outputs=3, pictures=2)
        made(refund(tx, Refund("a", 5, "r1")))
        error = refused(refund(tx, Refund("a", 16, "r2")))
        assert error.evidence == {"captured": 20, "refunded": 5, "left": 15}
        assert "at most 15" in error.remedy.text
        assert made(refund(tx, Refund("a", None, "r2"))).balance_delta == 15
        error = refused(refund(tx, Refund("a", None, "r3")))
        assert "given back before: 20 credits" in error.what
        assert refused(refund(tx, Refund("a", 1, "r4"))).what == error.what
        assert paid_for(tx, number) == Paid(20, 20)
        assert balance_of(tx, "ann") == Balance(100)


def test_repeating_a_reference_answers_the_first_refund(shared: Database) -> None:
    with scene(shared, credits=100) as tx:
        paid(tx, price=30)
        part = made(refund(tx, Refund("a", 10, "part")))
        rest = made(refund(tx, Refund("a", None, "rest")))
        for wanted, first in ((Refund("a", 10, "part"), part), (Refund("a", None, "rest"), rest)):
            assert refund(tx, wanted) == Posted(first, Balance(100), replayed=True)
        assert refund(tx, Refund("a", 20, "rest")) == Posted(rest, Balance(100), replayed=True)
        assert balance_of(tx, "ann") == Balance(100)


def test_another_amount_or_job_or_kind_under_a_used_reference_is_refused(shared: Database) -> None:
    with scene(shared, credits=100) as tx:
        paid(tx, "a", price=30)
        paid(tx, "b", price=10)
        made(refund(tx, Refund("a", 10, "r")))
        made(grant(tx, Gift("ann", 10, "g")))
        for wanted in (Refund("a", 11, "r"), Refund("a", None, "r"), Refund("b", 10, "r"), Refund("a", 10, "g")):
            assert isinstance(refused(refund(tx, wanted)), ReferenceMismatch)
        assert balance_of(tx, "ann") == Balance(80)


@pytest.mark.parametrize("amount", [None, 1])
def test_a_job_that_paid_nothing_gets_nothing_back(shared: Database, amount: int | None) -> None:
    with scene(shared, credits=100) as tx:
        submitted(tx, "waits")
        (failed,) = claimed(tx, "failed", priority=1)
        finish(tx, [Ending(failed.number, failed.fence, Status.FAILED, (), "{}")])
        waits, ended = (refused(refund(tx, Refund(name, amount, "r"))) for name in ("waits", "failed"))
        assert isinstance(waits, Conflict)
        assert "is pending and has paid nothing yet" in waits.what
        assert waits.remedy.command == "safelight jobs cancel waits"
        assert "ended as failed and paid nothing" in ended.what
        assert balance_of(tx, "ann") == Balance(100, 10)


def test_a_free_job_has_nothing_to_give_back(shared: Database) -> None:
    with scene(shared, credits=100) as tx:
        paid(tx, price=0)
        assert "paid nothing" in refused(refund(tx, Refund("a", None, "r"))).what


def test_there_is_no_refund_of_a_job_that_does_not_exist(shared: Database) -> None:
    with scene(shared) as tx:
        assert refund(tx, Refund("nobody's", None, "r")) is None


def test_refunds_at_the_same_moment_never_give_back_more_than_was_captured(
    database: Database, database_url: str
) -> None:
    """Of two jobs of one account, so that the account's balance is fought for as well."""
    names = ("a", "b")
    with database.transaction() as tx:
        set_scene(tx, credits=100)
        numbers = [paid(tx, name, price=10) for name in names]

    async def scenario() -> list[Posted | CallerError | None]:
        async with asyncio.timeout(PATIENCE_S), processes(database, database_url) as pair:
            wanted = [Refund(name, 3, f"{name}{n % 8}") for n in range(24) for name in names]
            return await asyncio.gather(*(pair[n % 2].write(refund, each) for n, each in enumerate(wanted, 1)))

    answers = asyncio.run(scenario())
    assert sum(isinstance(answer, Posted) and not answer.replayed for answer in answers) == 6
    assert sum(isinstance(answer, Posted) for answer in answers) == 18
    assert sum(isinstance(answer, Conflict) for answer in answers) == 30
    with database.transaction() as tx:
        assert [paid_for(tx, number) for number in numbers] == [Paid(10, 9)] * 2
        assert balance_of(tx, "ann") == Balance(98)
        assert_books_balance(tx)


def test_a_refund_waits_for_another_of_the_same_account_and_then_counts_it(
    database: Database, database_url: str
) -> None:
    with database.transaction() as tx:
        set_scene(tx, credits=100)
        paid(tx, price=10)
    answers: list[Posted | CallerError | None] = []
    is_over = threading.Event()
    elsewhere = open_database(database_url)

    def refund_elsewhere() -> None:
        with elsewhere.transaction() as tx:
            answers.append(refund(tx, Refund("a", 8, "second")))
        is_over.set()

    second = threading.Thread(target=refund_elsewhere)
    with database.transaction() as tx:
        made(refund(tx, Refund("a", 8, "first")))
        second.start()
        assert not is_over.wait(WAITS_S)
    assert is_over.wait(PATIENCE_S)
    second.join()
    elsewhere.close()
    assert refused(answers[0]).evidence == {"captured": 10, "refunded": 8, "left": 2}
