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

    @property
    def credits(self) -> Balance:
        return Balance(self.balance, self.held)


_COLUMNS = (accounts.c.number, accounts.c.user_id, accounts.c.balance, accounts.c.held)
_OPEN = Change(insert_or_ignore(accounts, ("user_id",)), columns=("user_id",))
_BY_USER = Query(sa.select(*_COLUMNS).where(accounts.c.user_id == arg("owner")), AccountRow)
_LOCKED = Query(
    sa.select(*_COLUMNS)
    .where(accounts.c.number.in_(sa.bindparam("numbers", expanding=True)))
    .order_by(accounts.c.number)
    .with_for_update(),
    AccountRow,
)
_SET = Change(
    sa.update(accounts)
    .where(accounts.c.number == arg("account", INTEGER))
    .values(balance=arg("new_balance", INTEGER), held=arg("new_held", INTEGER))
)
_ENTRY = ("account", "job", "kind", "balance_delta", "held_delta", "balance_after", "reference", "note", "at")
_POST = Change(sa.insert(tables.ledger), columns=_ENTRY)
_POST_ONCE = Change(insert_or_ignore(tables.ledger, _ENTRY), columns=_ENTRY)


class Posting(NamedTuple):
    account: int
    entry: Entry
    balance_after: int


_SET_HELD = Change(
    sa.update(accounts)
    .where(accounts.c.number == arg("of_account", INTEGER), accounts.c.held == arg("was", INTEGER))
    .values(held=arg("is_now", INTEGER))
)


class Books:
    """The accounts a use case touches, locked in order, changed in memory, written once by `close`."""

    def __init__(self, tx: Tx, rows: Iterable[AccountRow]) -> None:
        self._tx = tx
        self._balances: dict[int, Balance] = {row.number: row.credits for row in rows}
        self._postings: list[Posting] = []

    @classmethod
    def of_accounts(cls, tx: Tx, numbers: Iterable[int]) -> Books:
        """Lock accounts by number. Take every other lock of the transaction before."""
        return cls(tx, tx.all(_LOCKED, numbers=list(set(numbers))))

    def balance(self, account: int) -> Balance:
        return self._balances[account]

    def covers(self, account: int, price: int) -> bool:
        """Whether a hold of `price` fits, counting what was posted so far."""
        return self._balances[account].available >= price

    def post(self, account: int, entry: Entry) -> None:
        """Apply an entry. Raises ValueError if the account would no longer cover its holds: a bug, not a refusal."""
        after = self._after(account, entry)
        self._balances[account] = after
        self._postings.append(Posting(account, entry, after.balance))

    def post_once(self, account: int, entry: Entry) -> bool:
        """Apply and write one entry at once, unless the ledger has its reference; whether it was written.

        Who comes second with the same reference, for whatever account, waits here for the first. Raises as `post`.
        """
        after = self._after(account, entry)
        if not self._tx.run(_POST_ONCE, **_row(Posting(account, entry, after.balance), self._tx.now)):
            return False
        self._balances[account] = after
        self._set([account])
        return True

    def close(self) -> None:
        """Write balances and entries. A balance never moves without its entry."""
        self._set(sorted({posting.account for posting in self._postings}))
        now = self._tx.now
        self._tx.many(_POST, [_row(posting, now) for posting in self._postings])

    def _after(self, account: int, entry: Entry) -> Balance:
        after = apply(self._balances[account], entry)
        if not after.sound:
            raise ValueError(f"account {account} does not cover {entry}")
        return after

    def _set(self, touched: Iterable[int]) -> None:
        balances = self._balances
        self._tx.many(
            _SET,
            [{"account": n, "new_balance": balances[n].balance, "new_held": balances[n].held} for n in touched],
        )


def _row(posting: Posting, now: float) -> dict[str, object]:
    entry = posting.entry
    return {
        "account": posting.account,
        "job": entry.job,
        "kind": str(entry.kind),
        "balance_delta": entry.balance_delta,
        "held_delta": entry.held_delta,
        "balance_after": posting.balance_after,
        "reference": entry.reference,
        "note": entry.note,
        "at": now,
    }


def set_held(tx: Tx, account: int, *, was: int, is_now: int) -> int:
    """Correct what a hand in the database broke; 0 if it is no longer what it was. No entry: holds have theirs."""
    return tx.run(_SET_HELD, of_account=account, was=was, is_now=is_now)


def open_accounts(tx: Tx, users: Iterable[str]) -> dict[str, int]:
    """The account number of each user; accounts that do not exist are made, empty."""
    ordered = sorted(set(users))
    found = tx.many(_BY_USER, [{"owner": user} for user in ordered])
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


def account_of(tx: Tx, user_id: str) -> AccountRow | None:
    """A user's account; None for one who never had any."""
    return tx.one(_BY_USER, owner=user_id)


def balance_of(tx: Tx, user_id: str) -> Balance:
    """What a user has; zero for one who never had any."""
    row = account_of(tx, user_id)
    return row.credits if row else Balance()
