"""Mend what a hand in the database broke about holds: those of ended jobs are released, those of accounts counted.

Nothing here is needed while only Safelight writes: every ending settles its job in its own transaction. What is wrong
is what the audit says, so of each at most as many as one audit names.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.ledger.entries import release
from safelight.services.audit.accounts import ACCOUNTS
from safelight.services.audit.jobs import JOBS
from safelight.services.credits import Books, set_held
from safelight.services.sql import INTEGER, arg
from safelight.store.statements import Change
from safelight.store.tables import jobs
from safelight.store.tx import Tx


class Unreleased(NamedTuple):
    """A job that ended with nothing delivered, and whose hold stands in the ledger all the same."""

    number: int
    account: int
    price: int


class Miscounted(NamedTuple):
    """An account that holds other credits than its unfinished jobs should, and could hold those."""

    account: int
    user_id: str
    held: int
    should_be: int


_MARK = Change(sa.update(jobs).where(jobs.c.number == arg("of_job", INTEGER)).values(settled=sa.true()))


def unreleased(tx: Tx) -> list[Unreleased]:
    """What was delivered and not captured is not among them: that is for the operator to decide."""
    wrong = [found.evidence for found in JOBS.findings(tx) if found.code == "JOB_NOT_SETTLED"]
    nothing_came = (job for job in wrong if job["status"] in ("failed", "canceled"))
    return [Unreleased(job["number"], job["account"], job["price"]) for job in nothing_came]


def release_holds(tx: Tx) -> int:
    """Release those of ended jobs, with an entry each; how many. One that its account does not cover is left alone."""
    found = unreleased(tx)
    books = Books.of_accounts(tx, (job.account for job in found))
    done = [job for job in found if _posted(books, job)]
    books.close()
    tx.many(_MARK, [{"of_job": job.number} for job in done])
    return len(done)


def miscounted(tx: Tx) -> list[Miscounted]:
    wrong = [found.evidence for found in ACCOUNTS.findings(tx) if found.code == "HELD_WRONG"]
    return [
        Miscounted(each["account"], each["user"], each["held"], each["held_by_jobs"])
        for each in wrong
        if each["balance"] >= each["held_by_jobs"]
    ]


def count_holds(tx: Tx) -> int:
    """Set what accounts hold to what their unfinished jobs say; how many."""
    return sum(set_held(tx, it.account, was=it.held, is_now=it.should_be) for it in miscounted(tx))


def _posted(books: Books, job: Unreleased) -> bool:
    try:
        books.post(job.account, release(job.price, job=job.number))
    except ValueError:
        return False
    return True
