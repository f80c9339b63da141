"""Audit of a whole database: whether accounts, ledger and jobs tell the same story.

Run it after every scenario that moves jobs, and in the middle of it: it holds after every commit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LIVE
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

accounts, ledger, jobs = tables.accounts, tables.ledger, tables.jobs


class _Account(NamedTuple):
    number: int
    balance: int
    held: int


class _Line(NamedTuple):
    account: int
    job: int | None
    kind: str
    balance_delta: int
    held_delta: int
    balance_after: int


class _Job(NamedTuple):
    number: int
    account: int
    status: str
    settled: bool
    price: int
    captured: int


_ACCOUNTS = Query(sa.select(accounts.c.number, accounts.c.balance, accounts.c.held), _Account)
_LINES = Query(sa.select(*(ledger.c[name] for name in _Line._fields)).order_by(ledger.c.number), _Line)
_JOBS = Query(sa.select(*(jobs.c[name] for name in _Job._fields)), _Job)


def assert_books_balance(tx: Tx) -> None:
    """Raise AssertionError with everything that does not add up."""
    complaints = list(complaints_about(tx))
    if complaints:
        raise AssertionError("The books do not balance:\n" + "\n".join(complaints))


def complaints_about(tx: Tx) -> Iterator[str]:
    """One line for everything that does not add up; nothing when all is well."""
    found, lines, work = tx.all(_ACCOUNTS), tx.all(_LINES), tx.all(_JOBS)
    held: defaultdict[int, int] = defaultdict(int)
    for job in work:
        held[job.account] += job.price if job.status in LIVE else 0
    for account in found:
        own = [line for line in lines if line.account == account.number]
        yield from _about_account(account, own, held[account.number])
    of_job: defaultdict[int, list[_Line]] = defaultdict(list)
    for line in lines:
        if line.job is not None:
            of_job[line.job].append(line)
    for job in work:
        yield from _about_job(job, of_job[job.number])


def _about_account(account: _Account, lines: Iterable[_Line], of_live_jobs: int) -> Iterator[str]:
    balance = held = 0
    for line in lines:
        balance, held = balance + line.balance_delta, held + line.held_delta
        if line.balance_after != balance:
            yield f"account {account.number}: after {line} the balance is {balance}"
    if (balance, held) != (account.balance, account.held):
        yield f"{account}: its ledger sums up to balance {balance}, held {held}"
    if of_live_jobs != account.held:
        yield f"{account}: its live jobs hold {of_live_jobs}"


def _about_job(job: _Job, lines: list[_Line]) -> Iterator[str]:
    holds = [line.held_delta for line in lines if line.kind == "hold"]
    if holds != [job.price]:
        yield f"{job}: its holds are {holds}"
    ended = job.status not in LIVE
    if ended != job.settled:
        yield f"{job}: ended is {ended}, settled is {job.settled}"
    settlements = [line for line in lines if line.kind in ("capture", "release")]
    if len(settlements) != ended:
        yield f"{job}: its settlements are {settlements}"
    for line in settlements:
        if (line.balance_delta, line.held_delta) != (-job.captured, -job.price):
            yield f"{job}: it was settled by {line}"
        if (line.kind == "capture") != (job.status in ("completed", "partial")):
            yield f"{job}: it ended with a {line.kind}"
