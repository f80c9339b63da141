"""The books: the only writer of accounts and ledger. Every other use case posts its entries here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa

from safelight.ledger.entries import Balance, Entry, apply, grant
from safelight.services.sql import INTEGER, arg
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

accounts = tables.accounts


class AccountRow(NamedTuple):
    number: int
    user_id: str
    balance: int
    held: int


_COLUMNS = (accounts.c.number, accounts.c.user_id, accounts.c.balance, accounts.c.held)
_OPEN = Change(insert_or_ignore(accounts, ("user_id",)), columns=("user_id",))
_BY_USER = Query(sa.select(*_COLUMNS).where(accounts.c.user_id == arg("owner")), AccountRow)
_BY_NUMBER = Query(sa.select(*_COLUMNS).where(accounts.c.number == arg("account", INTEGER)), AccountRow)
_SET = Change(
    sa.update(accounts)
    .where(accounts.c.number == arg("account", INTEGER))
    .values(balance=arg("new_balance", INTEGER), held=arg("new_held", INTEGER))
)
_POST = Change(
    sa.insert(tables.ledger),
    columns=("account", "job", "kind", "balance_delta", "held_delta", "balance_after", "reference", "note", "at"),
)


class Posting(NamedTuple):
    account: int
    entry: Entry
    balance_after: int


class Books:
    """The accounts a use case touches, locked in order, changed in memory, written once by `close`."""

    def __init__(self, tx: Tx, rows: Iterable[AccountRow]) -> None:
        self._tx = tx
        self._balances: dict[int, Balance] = {row.number: Balance(row.balance, row.held) for row in rows}
        self._postings: list[Posting] = []

    @classmethod
    def of_accounts(cls, tx: Tx, numbers: Iterable[int]) -> Books:
        """Lock accounts by number. Take every other lock of the transaction before."""
        ordered = sorted(set(numbers))
        tx.lock(accounts, ordered)
        return cls(tx, (row for row in tx.many(_BY_NUMBER, [{"account": n} for n in ordered]) if row))

    def balance(self, account: int) -> Balance:
        return self._balances[account]

    def covers(self, account: int, price: int) -> bool:
        """Whether a hold of `price` fits, counting what was posted so far."""
        return self._balances[account].available >= price

    def post(self, account: int, entry: Entry) -> None:
        """Apply an entry. Raises ValueError if the account would no longer cover its holds: a bug, not a refusal."""
        after = apply(self._balances[account], entry)
        if not after.sound:
            raise ValueError(f"account {account} does not cover {entry}")
        self._balances[account] = after
        self._postings.append(Posting(account, entry, after.balance))

    def close(self) -> None:
        """Write balances and entries. A balance never moves without its entry."""
        touched = sorted({posting.account for posting in self._postings})
        balances = self._balances
        self._tx.many(
            _SET,
            [{"account": n, "new_balance": balances[n].balance, "new_held": balances[n].held} for n in touched],
        )
        now = self._tx.now
        self._tx.many(
            _POST,
            [
                {
                    "account": account,
                    "job": entry.job,
                    "kind": str(entry.kind),
                    "balance_delta": entry.balance_delta,
                    "held_delta": entry.held_delta,
                    "balance_after": after,
                    "reference": entry.reference,
                    "note": entry.note,
                    "at": now,
                }
                for account, entry, after in self._postings
            ],
        )


def open_accounts(tx: Tx, users: Iterable[str]) -> dict[str, int]:
    """The account number of each user; accounts that do not exist are made, empty."""
    ordered = sorted(set(users))
    found = [tx.one(_BY_USER, owner=user) for user in ordered]
    missing = [user for user, row in zip(ordered, found, strict=True) if row is None]
    if missing:
        tx.many(_OPEN, [{"user_id": user} for user in missing])
        found = [row or tx.one(_BY_USER, owner=user) for user, row in zip(ordered, found, strict=True)]
    return {row.user_id: row.number for row in found if row}


LOCAL_USER = "local"
LOCAL_GRANT = 1_000_000
LOCAL_LOW = 100_000


def top_up_local(tx: Tx, reference: str) -> bool:
    """Local mode: keep the one user in credits, through the ledger like everything else."""
    account = open_accounts(tx, [LOCAL_USER])[LOCAL_USER]
    books = Books.of_accounts(tx, [account])
    if books.balance(account).available >= LOCAL_LOW:
        return False
    books.post(account, grant(LOCAL_GRANT, reference=reference, note="local mode"))
    books.close()
    return True


def balance_of(tx: Tx, user_id: str) -> Balance:
    """What a user has; zero for one who never had any."""
    row = tx.one(_BY_USER, owner=user_id)
    return Balance(row.balance, row.held) if row else Balance()
