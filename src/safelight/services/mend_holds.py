"""Mend what a hand in the database broke about holds: those of ended jobs are released, those of accounts counted.

Nothing here is needed while only Safelight writes: every ending settles its job in its own transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LIVE
from safelight.ledger.entries import release
from safelight.services.credits import Books, set_held
from safelight.services.sql import INTEGER, arg
from safelight.store.statements import Change, Query
from safelight.store.tables import accounts, jobs, ledger
from safelight.store.tx import Tx

MOST: Final = 200


class Unreleased(NamedTuple):
    """A job that ended with nothing delivered, and whose hold stands in the ledger all the same."""

    number: int
    id: str
    account: int
    price: int


class Miscounted(NamedTuple):
    """An account that holds other credits than its unfinished jobs should."""

    account: int
    user_id: str
    held: int
    should_be: int


def _entry_of(*kinds: str) -> sa.ColumnElement[bool]:
    return sa.exists().where(ledger.c.job == jobs.c.number, ledger.c.kind.in_(kinds))


_UNRELEASED = Query(
    sa.select(*(jobs.c[name] for name in Unreleased._fields))
    .where(
        jobs.c.status.in_(["failed", "canceled"]),
        _entry_of("hold"),
        sa.not_(_entry_of("capture", "release")),
    )
    .order_by(jobs.c.number)
    .limit(MOST),
    Unreleased,
)
_MARK = Change(sa.update(jobs).where(jobs.c.number == arg("of_job", INTEGER)).values(settled=sa.true()))
_live = (
    sa.select(jobs.c.account, sa.func.sum(jobs.c.price).label("price"))
    .where(jobs.c.status.in_(sorted(LIVE)))
    .group_by(jobs.c.account)
    .subquery("live")
)
_should_be = sa.cast(sa.func.coalesce(_live.c.price, 0), INTEGER)
_MISCOUNTED = Query(
    sa.select(accounts.c.number, accounts.c.user_id, accounts.c.held, _should_be)
    .select_from(accounts.outerjoin(_live, _live.c.account == accounts.c.number))
    .where(accounts.c.held != _should_be, accounts.c.balance >= _should_be)
    .order_by(accounts.c.number)
    .limit(MOST),
    Miscounted,
)


def unreleased(tx: Tx) -> list[Unreleased]:
    """The first MOST of them."""
    return tx.all(_UNRELEASED)


def release_holds(tx: Tx) -> int:
    """Release those of ended jobs, with an entry each; how many. One that its account does not cover is left alone."""
    found = unreleased(tx)
    books = Books.of_accounts(tx, (job.account for job in found))
    done = [job for job in found if _posted(books, job)]
    books.close()
    tx.many(_MARK, [{"of_job": job.number} for job in done])
    return len(done)


def miscounted(tx: Tx) -> list[Miscounted]:
    """The first MOST of them. One whose balance would not cover what it should hold is not among them."""
    return tx.all(_MISCOUNTED)


def count_holds(tx: Tx) -> int:
    """Set what accounts hold to what their unfinished jobs say; how many."""
    found: Sequence[Miscounted] = miscounted(tx)
    return sum(set_held(tx, it.account, was=it.held, is_now=it.should_be) for it in found)


def _posted(books: Books, job: Unreleased) -> bool:
    try:
        books.post(job.account, release(job.price, job=job.number))
    except ValueError:
        return False
    return True
