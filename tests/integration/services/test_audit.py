"""The audit: silent over any history, and not silent over any corruption of it, on both databases."""
# ruff: noqa: S608 - the tables are ours

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from safelight.domain.jobs import Status
from safelight.services.audit import CHECKS, MOST, Finding, audit
from safelight.services.audit.beside import audit_beside
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.credits import open_accounts
from safelight.services.finish import Ending, finish
from safelight.services.grant import Gift, adjust
from safelight.services.refund import Refund, refund
from safelight.store.database import Database
from safelight.store.tx import Tx
from safelight.testing.books import assert_books_balance
from tests.integration.services.answers import made
from tests.integration.services.scene import batched, claimed, complete, delivery, scene, submitted

ANN = "(SELECT number FROM accounts WHERE user_id = 'ann')"
BOB = "(SELECT number FROM accounts WHERE user_id = 'bob')"
CONSTRAINTS = {
    "accounts": ["ck_accounts_covers_holds"],
    "jobs": ["ck_jobs_settled_when_ended", "ck_jobs_captured_within_price"],
    "ledger": ["ck_ledger_says_what_for"],
}
"""What keeps a database from some of the corruptions, as long as nobody takes it away."""


def number_of(job: str) -> str:
    return f"(SELECT number FROM jobs WHERE id = '{job}')"


def entry_of(job: str, *kinds: str) -> str:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return f"number = (SELECT max(number) FROM ledger WHERE job = {number_of(job)} AND kind IN ({listed}))"


def entry(job: str, kind: str, balance: int, held: int) -> list[str]:
    """An entry more of ann's, with the account that goes with it."""
    return [
        f"UPDATE accounts SET balance = balance + {balance}, held = held + {held} WHERE user_id = 'ann'",
        "INSERT INTO ledger (account, job, kind, balance_delta, held_delta, balance_after, reference, at)"
        f" SELECT number, {number_of(job)}, '{kind}', {balance}, {held}, balance, 'by hand', 0"
        " FROM accounts WHERE user_id = 'ann'",
    ]


class Seed(NamedTuple):
    """A corruption as somebody's SQL, and the codes of everything that the audit must say of it."""

    name: str
    codes: set[str]
    sql: list[str]


SEEDS = [
    Seed("a balance that was raised", {"BALANCE_WRONG"}, ["UPDATE accounts SET balance = balance + 5"]),
    Seed("a hold that was raised", {"HELD_WRONG"}, ["UPDATE accounts SET held = held + 1"]),
    Seed(
        "an entry with another balance after it",
        {"ENTRY_CHAIN_BROKEN"},
        [f"UPDATE ledger SET balance_after = balance_after - 1 WHERE {entry_of('paid', 'capture')}"],
    ),
    Seed(
        "an entry of another amount",
        {"ENTRY_CHAIN_BROKEN"},
        [f"UPDATE ledger SET balance_delta = balance_delta + 1 WHERE kind = 'grant' AND account = {ANN}"],
    ),
    Seed(
        "a last entry of another amount with the sum that goes with it",
        {"BALANCE_WRONG"},
        [
            "UPDATE ledger SET balance_delta = balance_delta + 1, balance_after = balance_after + 1"
            f" WHERE number = (SELECT max(number) FROM ledger WHERE kind = 'adjustment' AND account = {BOB})"
        ],
    ),
    Seed(
        "a last entry that is gone",
        {"BALANCE_WRONG"},
        [f"DELETE FROM ledger WHERE number = (SELECT max(number) FROM ledger WHERE account = {BOB})"],
    ),
    Seed(
        "an entry that is gone",
        {"ENTRY_CHAIN_BROKEN"},
        [f"DELETE FROM ledger WHERE kind = 'grant' AND account = {ANN}"],
    ),
    Seed(
        "a grant that holds something",
        {"ENTRY_AMOUNT_WRONG"},
        [f"UPDATE ledger SET held_delta = 1 WHERE kind = 'grant' AND account = {ANN}"],
    ),
    Seed(
        "an entry of another kind",
        {"ENTRY_AMOUNT_WRONG", "ENTRY_WITHOUT_PURPOSE"},
        [f"UPDATE ledger SET kind = 'refund' WHERE kind = 'adjustment' AND balance_delta < 0 AND account = {ANN}"],
    ),
    Seed(
        "an entry with neither job nor reference",
        {"ENTRY_WITHOUT_PURPOSE"},
        [f"UPDATE ledger SET reference = NULL WHERE kind = 'grant' AND account = {ANN}"],
    ),
    Seed(
        "a hold for no job",
        {"ENTRY_WITHOUT_PURPOSE", "JOB_NOT_HELD"},
        [f"UPDATE ledger SET job = NULL, reference = 'x' WHERE {entry_of('waits', 'hold')}"],
    ),
    Seed("an account that is gone", {"ENTRY_WITHOUT_ACCOUNT"}, ["DELETE FROM accounts WHERE user_id = 'bob'"]),
    Seed(
        "a job without a hold",
        {"JOB_NOT_HELD"},
        [f"DELETE FROM ledger WHERE {entry_of('waits', 'hold')}"],
    ),
    Seed("a job with two holds", {"JOB_HELD_TWICE", "HELD_WRONG"}, entry("waits", "hold", 0, 10)),
    Seed(
        "a live job whose price is not what was held",
        {"HOLD_WRONG", "HELD_WRONG"},
        ["UPDATE jobs SET price = price + 1 WHERE id = 'waits'"],
    ),
    Seed(
        "a hold of another price",
        {"HOLD_WRONG"},
        [f"UPDATE ledger SET held_delta = held_delta + 1 WHERE {entry_of('waits', 'hold')}"],
    ),
    Seed(
        "an ended job that was never settled",
        {"JOB_NOT_SETTLED"},
        [f"DELETE FROM ledger WHERE {entry_of('failed', 'release')}"],
    ),
    Seed("a job captured twice", {"JOB_SETTLED_TWICE", "HELD_WRONG"}, entry("bigger", "capture", -4, -4)),
    Seed(
        "a job captured and released",
        {"JOB_SETTLED_TWICE", "RELEASED_DELIVERED"},
        entry("paid", "release", 0, 0),
    ),
    Seed(
        "a running job that was settled",
        {"JOB_SETTLED_EARLY", "HELD_WRONG"},
        entry("running", "capture", -10, -10),
    ),
    Seed(
        "a settlement of less than was captured",
        {"SETTLEMENT_WRONG"},
        ["UPDATE jobs SET captured = captured + 1 WHERE id = 'paid'"],
    ),
    Seed(
        "a settlement that freed less than the price",
        {"SETTLEMENT_WRONG", "HOLD_WRONG"},
        ["UPDATE jobs SET price = price + 1 WHERE id = 'failed'"],
    ),
    Seed(
        "a live job that has captured something",
        {"CAPTURED_EARLY"},
        ["UPDATE jobs SET captured = 1 WHERE id = 'running'"],
    ),
    Seed(
        "a capture for a job that failed",
        {"CAPTURED_UNDELIVERED"},
        ["UPDATE jobs SET status = 'failed' WHERE id = 'paid'"],
    ),
    Seed(
        "a capture for a job that was canceled",
        {"CAPTURED_UNDELIVERED"},
        ["UPDATE jobs SET status = 'canceled' WHERE id = 'paid'"],
    ),
    Seed(
        "a release for a job that completed",
        {"RELEASED_DELIVERED"},
        ["UPDATE jobs SET status = 'completed' WHERE id = 'failed'"],
    ),
    Seed(
        "a release for a batch of which some completed",
        {"RELEASED_DELIVERED"},
        [f"UPDATE ledger SET kind = 'release' WHERE {entry_of('batch', 'capture')}"],
    ),
    Seed("a refund without a capture", {"REFUND_TOO_HIGH"}, entry("failed", "refund", 1, 0)),
    Seed("a refund of a running job", {"REFUND_TOO_HIGH"}, entry("running", "refund", 1, 0)),
    Seed("refunds above what was captured", {"REFUND_TOO_HIGH"}, entry("paid", "refund", 16, 0)),
    Seed(
        "an entry of a job on another account",
        {"ENTRY_OF_ANOTHER_ACCOUNT", "ENTRY_CHAIN_BROKEN", "BALANCE_WRONG"},
        [f"UPDATE ledger SET account = {BOB} WHERE {entry_of('waits', 'hold')}"],
    ),
    Seed(
        "a job of another account",
        {"ENTRY_OF_ANOTHER_ACCOUNT", "HELD_WRONG"},
        [f"UPDATE jobs SET account = {BOB} WHERE id = 'waits'"],
    ),
    Seed(
        "an ended job that says it was not settled",
        {"SETTLED_FLAG_WRONG"},
        ["UPDATE jobs SET settled = FALSE WHERE id = 'paid'"],
    ),
    Seed(
        "a live job that says it was settled",
        {"SETTLED_FLAG_WRONG"},
        ["UPDATE jobs SET settled = TRUE WHERE id = 'waits'"],
    ),
    Seed(
        "a batch with a price",
        {"BATCH_HAS_PRICE", "HOLD_WRONG", "SETTLEMENT_WRONG"},
        ["UPDATE jobs SET price = 5 WHERE id = 'batch'"],
    ),
    Seed(
        "a live job whose row is gone",
        {"HOLD_ORPHANED", "HELD_WRONG"},
        ["DELETE FROM jobs WHERE id = 'waits'"],
    ),
    Seed(
        "a pruned job without a settlement",
        {"HOLD_ORPHANED"},
        [f"DELETE FROM ledger WHERE {entry_of('failed', 'release')}", "DELETE FROM jobs WHERE id = 'failed'"],
    ),
    Seed(
        "a pruned job without a hold",
        {"GONE_JOB_WRONG"},
        [f"DELETE FROM ledger WHERE {entry_of('failed', 'hold')}", "DELETE FROM jobs WHERE id = 'failed'"],
    ),
    Seed(
        "a pruned job that was settled twice",
        {"GONE_JOB_WRONG"},
        [*entry("paid", "release", 0, 0), "DELETE FROM jobs WHERE id = 'paid'"],
    ),
    Seed(
        "a pruned job that got back more than it paid",
        {"GONE_JOB_WRONG"},
        [*entry("paid", "refund", 16, 0), "DELETE FROM jobs WHERE id = 'paid'"],
    ),
    Seed(
        "a pruned job of two accounts",
        {"GONE_JOB_WRONG", "ENTRY_CHAIN_BROKEN"},
        [
            f"UPDATE ledger SET account = {BOB} WHERE {entry_of('failed', 'release')}",
            "DELETE FROM jobs WHERE id = 'failed'",
        ],
    ),
]


def varied_history(tx: Tx) -> None:
    """Jobs in every state and with every ending, refunds, adjustments, a pruned job; of two users."""
    batched(tx, "batch", ["i1", "i2"])
    first, second = claim_all(tx, "i1", "i2")
    assert finish(tx, [delivery(first), Ending(second.number, second.fence, Status.FAILED, (), "{}")]) == [True, True]
    paid, failed, bobs = (
        *claimed(tx, "paid", price=30, outputs=3),
        *claimed(tx, "failed", price=7),
        *claimed(tx, "bob's", user="bob", price=9),
    )
    bigger, free, pruned = (*claimed(tx, "bigger"), *claimed(tx, "free", price=0), *claimed(tx, "pruned", price=5))
    assert complete(tx, paid, pictures=2)
    assert finish(tx, [Ending(failed.number, failed.fence, Status.FAILED, (), "{}")]) == [True]
    assert all(complete(tx, job) for job in (bobs, bigger, free, pruned))
    submitted(tx, "canceled")
    assert cancel(tx, "canceled", "ann") == "pending"
    for job, amount in (("paid", 5), ("pruned", None)):
        made(refund(tx, Refund(job, amount, f"refund of {job}")))
    for user, amount in (("ann", -50), ("ann", 3), ("bob", 4)):
        made(adjust(tx, Gift(user, amount, f"{user} {amount}", "why not")))
    run(tx, "DELETE FROM jobs WHERE id = 'pruned'")
    claimed(tx, "running")
    submitted(tx, "waits")
    batched(tx, "waiting batch", ["i3", "i4"])


def claim_all(tx: Tx, *names: str) -> list[Any]:
    jobs = {job.id: job for job in claim(tx, "w1", ["image"], len(names))}
    return [jobs[name] for name in names]


def run(tx: Tx, *statements: str) -> None:
    """Somebody's SQL, past every use case."""
    for sql in statements:
        cursor: Any = getattr(tx, "_cursor", tx)
        cursor.execute(sql)


@contextmanager
def unguarded(tx: Tx) -> Iterator[None]:
    """Without the checks and the index that would refuse a corruption; the scene's rollback brings them back."""
    run(tx, "DROP INDEX uq_ledger_settlement")
    if tx.dialect.name == "sqlite":
        run(tx, "PRAGMA ignore_check_constraints = ON")
        try:
            yield
        finally:
            run(tx, "PRAGMA ignore_check_constraints = OFF")
    else:
        run(
            tx,
            *(f"ALTER TABLE {table} DROP CONSTRAINT {name}" for table, names in CONSTRAINTS.items() for name in names),
        )
        yield


def findings_after(shared: Database, *sql: str) -> list[Finding]:
    """What the audit finds in a varied history after these statements."""
    found: list[Finding] = []
    with pytest.raises(AssertionError, match="The books do not balance"):
        corrupt(shared, sql, found)
    return found


def corrupt(shared: Database, sql: Sequence[str], found: list[Finding]) -> None:
    """A scene that ends with books that do not balance."""
    with scene(shared, users=("ann", "bob"), credits=1_000) as tx:
        varied_history(tx)
        with unguarded(tx):
            run(tx, *sql)
        found += audit(tx)


def test_the_audit_is_silent_over_a_varied_history(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        assert list(audit(tx)) == []
        varied_history(tx)
        assert list(audit(tx)) == []


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_the_audit_finds(shared: Database, seed: Seed) -> None:
    found = findings_after(shared, *seed.sql)
    assert {finding.code for finding in found} == seed.codes
    for finding in found:
        assert finding.what[-1] == finding.remedy.text[-1] == "."
        assert "{" not in finding.what + str(finding.remedy)
        assert finding.evidence


def test_no_rule_is_without_a_corruption_that_it_finds() -> None:
    codes = [rule.code for check in CHECKS["sqlite"] for rule in check.rules]
    assert set(codes) == set().union(*(seed.codes for seed in SEEDS))
    assert len(codes) == len(set(codes))


def test_a_finding_names_whom_it_concerns_with_the_numbers_and_a_command(shared: Database) -> None:
    (finding,) = findings_after(shared, "UPDATE accounts SET balance = balance + 5 WHERE user_id = 'bob'")
    assert finding.what == "Account 'bob' has a balance of 1000, but its last entry left 995."
    assert (finding.evidence["balance"], finding.evidence["entered"]) == (1000, 995)
    assert finding.remedy.command == "safelight credits ledger bob"


def test_of_very_many_wrong_rows_only_some_are_named(shared: Database) -> None:
    found = findings_after(
        shared,
        *(
            "INSERT INTO ledger (account, job, kind, balance_delta, held_delta, balance_after, at)"
            f" VALUES (0, {n}, 'hold', 0, 1, 0, 0)"
            for n in range(10**9, 10**9 + MOST + 50)
        ),
    )
    assert Counter(finding.code for finding in found) == {"HOLD_ORPHANED": MOST, "ENTRY_WITHOUT_ACCOUNT": MOST}


def test_books_that_do_not_balance_fail_a_test_with_every_finding(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        assert_books_balance(tx)
        run(tx, "UPDATE accounts SET held = 9, balance = 999")
        with pytest.raises(AssertionError) as caught:
            assert_books_balance(tx)
        run(tx, "UPDATE accounts SET held = 10, balance = 1000")
    for code in ("BALANCE_WRONG", "HELD_WRONG"):
        assert f"{code}: Account 'ann'" in str(caught.value)


def test_checks_that_run_beside_one_another_find_what_one_after_the_other_finds(database: Database) -> None:
    with database.transaction() as tx:
        open_accounts(tx, ("ann", "bob"))
        run(
            tx,
            "INSERT INTO ledger (account, kind, balance_delta, held_delta, balance_after, reference, at)"
            " SELECT number, 'grant', 7, 0, 9, 'odd', 0 FROM accounts WHERE user_id = 'ann'",
            "UPDATE accounts SET balance = 20, held = 3 WHERE user_id = 'bob'",
        )
    with database.reading() as tx:
        one_by_one = list(audit(tx))
    assert {finding.code for finding in one_by_one} >= {"BALANCE_WRONG", "HELD_WRONG", "ENTRY_CHAIN_BROKEN"}
    assert audit_beside(database) == one_by_one
