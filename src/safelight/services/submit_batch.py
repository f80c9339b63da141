"""Submit a batch: its items are ordinary jobs, and one transaction makes all of them, with every hold, or none."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from safelight.domain.errors import CallerError, InsufficientCredits
from safelight.ledger.entries import hold
from safelight.services import keys, new_jobs, rates, shares
from safelight.services.credits import Books, open_accounts
from safelight.services.submission import Answer, Submission, Submitted
from safelight.services.uploads import lock_uploads, upload_is_gone
from safelight.store import tables
from safelight.store.statements import Change
from safelight.store.tx import Tx


@dataclass(frozen=True, slots=True)
class BatchSubmission:
    """The batch's own row, which costs nothing and carries the key, and its items: at least one, all of one user."""

    parent: Submission
    items: tuple[Submission, ...]

    @property
    def price(self) -> int:
        return sum(item.price for item in self.items)


_OPEN = Change(sa.insert(tables.batches), columns=("job", "items"))


def submit_batch(tx: Tx, asked: BatchSubmission) -> Answer:
    """Make the batch durable with the credits of all its items held, or answer why not.

    Running it twice with the same public ids gives the same batch, as with `submit`.
    """
    parent, items = asked.parent, asked.items
    if new_jobs.existing(tx, [parent]):
        return Submitted(parent.id)
    if second := keys.take(tx, [parent]):
        return second[parent.id]
    used = {upload for item in items for upload in item.uploads}
    if used - lock_uploads(tx, sorted(used)):
        keys.give_back(tx, [parent])
        return upload_is_gone()
    accounts = open_accounts(tx, [parent.user_id])
    account = accounts[parent.user_id]
    vstarts = shares.take(tx, items)
    books = Books.of_accounts(tx, [account])
    refusal: CallerError | None = None
    if not books.covers(account, asked.price):
        available = books.balance(account).available
        refusal = InsufficientCredits(account=parent.user_id, price=asked.price, available=available)
    else:
        refusal = rates.take(tx, [parent], len(items)).get(parent.id)
    if refusal is not None:
        keys.give_back(tx, [parent])
        shares.give_back(tx, items)
        return refusal
    numbers = new_jobs.insert(tx, [parent], accounts, {parent.id: 0.0})
    tx.many(_OPEN, [{"job": numbers[parent.id], "items": len(items)}])
    numbers |= new_jobs.insert(tx, items, accounts, vstarts, parent=numbers[parent.id])
    for s in (parent, *items):
        books.post(account, hold(s.price, job=numbers[s.id]))
    books.close()
    new_jobs.announce(tx, [parent, *items], numbers)
    return Submitted(parent.id)
