"""Post an entry that an operator makes by hand: once per reference, whoever repeats it and however often."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from safelight.domain.errors import CallerError, ReferenceMismatch
from safelight.ledger.entries import Balance, Entry
from safelight.services.credits import Books
from safelight.services.read_ledger import Line, line_of, line_there
from safelight.store.tx import Tx


class Posted(NamedTuple):
    """The entry, the account as it is now, and whether the entry was there before: then nothing was changed."""

    line: Line
    balance: Balance
    replayed: bool


def post_once(
    tx: Tx,
    account: int,
    reference: str,
    decide: Callable[[Balance], Entry | CallerError],
    is_same: Callable[[Line], bool],
) -> Posted | CallerError:
    """Post what `decide` says under a reference, or answer the entry that has it, if it `is_same`.

    It locks the account: take every other lock before. `decide` sees the balance under that lock.
    """
    books = Books.of_accounts(tx, [account])
    if (there := line_of(tx, reference)) is not None:
        return _answer_again(books, account, there, is_same)
    entry = decide(books.balance(account))
    if isinstance(entry, CallerError):
        return entry
    if books.post_once(account, entry):
        return Posted(line_there(tx, reference), books.balance(account), replayed=False)
    return _answer_again(books, account, line_there(tx, reference), is_same)  # another account's, at the same moment


def _answer_again(books: Books, account: int, there: Line, is_same: Callable[[Line], bool]) -> Posted | CallerError:
    if is_same(there):
        return Posted(there, books.balance(account), replayed=True)
    return ReferenceMismatch(reference=str(there.reference), kind=there.kind, amount=there.balance_delta)
