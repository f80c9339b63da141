"""Grant and adjust: what an operator adds to a user's credits by hand, or takes away."""

from __future__ import annotations

from typing import NamedTuple

from safelight.domain.errors import CallerError, Conflict, Remedy
from safelight.ledger.entries import Balance, Entry, adjustment
from safelight.ledger.entries import grant as granted
from safelight.services.credits import open_accounts
from safelight.services.once import Posted, post_once
from safelight.services.read_ledger import Line
from safelight.store.tx import Tx

LONGEST_REFERENCE = 255
LONGEST_NOTE = 500


class Gift(NamedTuple):
    """Credits for a user, under a reference that no other entry has. Only an adjustment may take some away."""

    user_id: str
    amount: int
    reference: str
    note: str = ""


def grant(tx: Tx, gift: Gift) -> Posted | CallerError:
    """Give credits to a user, whose account is opened if there is none. Repeating it answers the first entry."""
    entry = granted(gift.amount, reference=gift.reference, note=gift.note)
    return _post(tx, gift, entry)


def adjust(tx: Tx, gift: Gift) -> Posted | CallerError:
    """Correct a user's credits, up or down, but never below what unfinished jobs hold. Repeating answers the first."""
    entry = adjustment(gift.amount, reference=gift.reference, note=gift.note)
    return _post(tx, gift, entry)


def _post(tx: Tx, gift: Gift, entry: Entry) -> Posted | CallerError:
    account = open_accounts(tx, [gift.user_id])[gift.user_id]

    def decide(balance: Balance) -> Entry | CallerError:
        return entry if balance.available + entry.balance_delta >= 0 else _too_little(gift, balance)

    def is_same(line: Line) -> bool:
        return (line.account, line.kind, line.balance_delta) == (account, entry.kind, entry.balance_delta)

    return post_once(tx, account, gift.reference, decide, is_same)


def _too_little(gift: Gift, balance: Balance) -> Conflict:
    held = f", {balance.held} of them held for unfinished jobs" if balance.held else ""
    return Conflict(
        f"Account {gift.user_id!r} has {balance.balance} credits{held}: {-gift.amount} cannot be taken away.",
        remedy=Remedy(f"Take away at most {balance.available}."),
        evidence={"balance": balance.balance, "held": balance.held, "available": balance.available},
    )
