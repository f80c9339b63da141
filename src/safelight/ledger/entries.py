"""The six kinds of ledger entry and what each does to an account.

`balance` counts everything the account owns, `held` the part promised to live jobs; what can be
spent is the difference. Whoever applies entries keeps `0 <= held <= balance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOST: Final = 10**12
"""The largest amount that one grant, refund or adjustment moves: sums of them stay far within 64 bits."""


class EntryKind(StrEnum):
    GRANT = "grant"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class Balance:
    """One account's credits."""

    balance: int = 0
    held: int = 0

    @property
    def available(self) -> int:
        return self.balance - self.held

    @property
    def sound(self) -> bool:
        return 0 <= self.held <= self.balance


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: how much is added to `balance` and to `held`, and for what."""

    kind: EntryKind
    balance_delta: int
    held_delta: int
    job: int | None = None
    """The job's internal number."""
    reference: str | None = None
    """Unique; names an entry that an operator made, so that making it again changes nothing."""
    note: str = ""


def grant(amount: int, *, reference: str, note: str = "") -> Entry:
    """Credits given by the operator."""
    return Entry(EntryKind.GRANT, amount, 0, reference=reference, note=note)


def hold(price: int, *, job: int) -> Entry:
    """The price of a job, set aside at submit."""
    return Entry(EntryKind.HOLD, 0, price, job=job)


def capture(price: int, captured: int, *, job: int) -> Entry:
    """Pay for what was delivered and free the rest of the hold, in one entry."""
    if not 0 <= captured <= price:
        raise ValueError(f"captured {captured} of a hold of {price}")
    return Entry(EntryKind.CAPTURE, -captured, -price, job=job)


def release(price: int, *, job: int) -> Entry:
    """Nothing was delivered: the whole hold goes back."""
    return Entry(EntryKind.RELEASE, 0, -price, job=job)


def refund(amount: int, *, left: int, job: int, reference: str, note: str = "") -> Entry:
    """Give back some of what a job paid; `left` is what was captured for it and not refunded so far."""
    if not 0 < amount <= left:
        raise ValueError(f"refunded {amount} of {left} left")
    return Entry(EntryKind.REFUND, amount, 0, job=job, reference=reference, note=note)


def adjustment(amount: int, *, reference: str, note: str) -> Entry:
    """A correction by the operator, up or down."""
    return Entry(EntryKind.ADJUSTMENT, amount, 0, reference=reference, note=note)


def apply(balance: Balance, entry: Entry) -> Balance:
    """The balance after the entry. The caller checks `sound`."""
    return Balance(balance.balance + entry.balance_delta, balance.held + entry.held_delta)
