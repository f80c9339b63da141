"""Refund: give back what a job paid, or part of it. Never more than was captured, never before it was."""

from __future__ import annotations

import shlex
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.errors import CallerError, Conflict, Remedy
from safelight.domain.jobs import LIVE
from safelight.ledger.entries import Balance, Entry, EntryKind
from safelight.ledger.entries import refund as refunded_entry
from safelight.services.once import Posted, post_once
from safelight.services.read_ledger import Line
from safelight.services.sql import INTEGER, arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, ledger = tables.jobs, tables.ledger


class Refund(NamedTuple):
    """Credits for the owner of a job, under a reference that no other entry has. No amount: everything left."""

    job_id: str
    amount: int | None
    reference: str
    note: str = ""


class Paid(NamedTuple):
    """What the ledger says was captured for a job, and given back so far."""

    captured: int
    refunded: int

    @property
    def left(self) -> int:
        return self.captured - self.refunded


class _Job(NamedTuple):
    number: int
    id: str
    user_id: str
    account: int
    status: str


_JOB = Query(sa.select(*(jobs.c[name] for name in _Job._fields)).where(jobs.c.id == arg("public_id")), _Job)


def _sum_of(kind: EntryKind, amount: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((ledger.c.kind == str(kind), amount), else_=0)), 0)


_PAID = Query(
    sa.select(
        _sum_of(EntryKind.CAPTURE, -ledger.c.balance_delta), _sum_of(EntryKind.REFUND, ledger.c.balance_delta)
    ).where(ledger.c.job == arg("of_job", INTEGER), ledger.c.number <= arg("up_to", INTEGER)),
    Paid,
)
_EVERY_ENTRY = 2**62


def refund(tx: Tx, wanted: Refund) -> Posted | CallerError | None:
    """Give credits back; None if there is no such job. Repeating it answers the first entry.

    What was captured and refunded is read under the account's lock, which every entry of the job needs: refunds made at
    the same moment cannot together exceed it, and no lock of the job is taken.
    """
    job = tx.one(_JOB, public_id=wanted.job_id)
    if job is None:
        return None

    def decide(_: Balance) -> Entry | CallerError:
        return _entry(job, wanted, paid_for(tx, job.number))

    def is_same(line: Line) -> bool:
        return (line.job, line.kind) == (job.number, EntryKind.REFUND) and (
            line.balance_delta == wanted.amount
            if wanted.amount is not None
            else paid_for(tx, job.number, up_to=line.number).left == 0  # it gave back everything that was left
        )

    return post_once(tx, job.account, wanted.reference, decide, is_same)


def paid_for(tx: Tx, job: int, up_to: int = _EVERY_ENTRY) -> Paid:
    """What a job, by its number, has paid and got back, counting entries up to that number of the ledger."""
    return tx.all(_PAID, of_job=job, up_to=up_to)[0]


def _entry(job: _Job, wanted: Refund, paid: Paid) -> Entry | CallerError:
    amount = paid.left if wanted.amount is None else wanted.amount
    if 0 < amount <= paid.left:
        return refunded_entry(amount, left=paid.left, job=job.number, reference=wanted.reference, note=wanted.note)
    return _refusal(job, amount, paid)


def _refusal(job: _Job, amount: int, paid: Paid) -> Conflict:
    if paid.captured == 0:
        what, remedy = _unpaid(job)
    elif paid.left == 0:
        what = f"All that job {job.id} paid was given back before: {paid.captured} credit{'s' * (paid.captured != 1)}."
        seen = f"safelight credits ledger {shlex.quote(job.user_id)}"
        remedy = Remedy("Nothing is left to refund; the ledger shows when it happened.", seen)
    else:
        what = f"Job {job.id} paid {paid.captured} credits; {paid.left} are left to refund, {amount} were asked for."
        remedy = Remedy(f"Ask for at most {paid.left}, or name no amount for everything.")
    evidence = {"captured": paid.captured, "refunded": paid.refunded, "left": paid.left}
    return Conflict(what, remedy=remedy, evidence=evidence)


def _unpaid(job: _Job) -> tuple[str, Remedy]:
    if job.status in LIVE:
        cancel = Remedy("Cancel it: then its hold is released.", f"safelight jobs cancel {job.id}")
        return f"Job {job.id} is {job.status} and has paid nothing yet.", cancel
    return f"Job {job.id} ended as {job.status} and paid nothing.", Remedy(
        "Nothing was taken, so nothing is to go back."
    )
