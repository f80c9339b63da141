"""Entries: each goes on where its account's last one ended, moves only what its kind moves, and says what for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from safelight.services.audit.rules import Check, Facts, Rule
from safelight.store.tables import accounts, ledger

_OF_JOBS = ("hold", "capture", "release", "refund")
_MOVES: Final[Mapping[str, sa.ColumnElement[bool]]] = {
    "grant": sa.and_(ledger.c.balance_delta >= 0, ledger.c.held_delta == 0),
    "hold": sa.and_(ledger.c.balance_delta == 0, ledger.c.held_delta >= 0),
    "capture": sa.and_(ledger.c.balance_delta <= 0, ledger.c.held_delta <= ledger.c.balance_delta),
    "release": sa.and_(ledger.c.balance_delta == 0, ledger.c.held_delta <= 0),
    "refund": sa.and_(ledger.c.balance_delta > 0, ledger.c.held_delta == 0),
    "adjustment": ledger.c.held_delta == 0,
}
"""What the amounts of each kind of entry can be."""

ENTRIES = Check(
    sa.select(
        *(ledger.c[name] for name in ("number", "account", "job", "kind", "balance_delta", "held_delta", "reference")),
        sa.case(*((ledger.c.kind == kind, moves) for kind, moves in _MOVES.items()), else_=sa.false()).label("fits"),
    ).subquery("facts"),
    Rule(
        "ENTRY_AMOUNT_WRONG",
        lambda f: sa.not_(f.fits),
        "Entry {number} of account {user!r}, a {kind}, moves {balance_delta} of the balance and {held_delta} of what"
        " is held: no {kind} does.",
        "The entry was changed or put in by hand: restore the backup from before that.",
    ),
    Rule(
        "ENTRY_WITHOUT_PURPOSE",
        lambda f: sa.and_(f.job.is_(None), sa.or_(f.reference.is_(None), f.kind.in_(_OF_JOBS))),
        "Entry {number} of account {user!r}, a {kind}, names neither the job nor the reference that it is for.",
        "It was put in or changed by hand: find out what for, or restore the backup from before that.",
    ),
    Rule(
        "ENTRY_WITHOUT_ACCOUNT",
        lambda f: accounts.c.number.is_(None),
        "Entry {number}, a {kind}, is of account number {account}, which does not exist.",
        "The account was removed by hand: restore the backup from before that.",
        None,
    ),
)

_earlier = ledger.alias("earlier")
_looked_up = (
    sa.select(_earlier.c.balance_after)
    .where(_earlier.c.account == ledger.c.account, _earlier.c.number < ledger.c.number)
    .order_by(_earlier.c.number.desc())
    .limit(1)
    .correlate(ledger)
    .scalar_subquery()
)
_gone_by = sa.func.lag(ledger.c.balance_after).over(partition_by=ledger.c.account, order_by=ledger.c.number)


def _chain(before: sa.ColumnElement[int]) -> Check:
    def is_broken(f: Facts) -> sa.ColumnElement[bool]:
        broken: sa.ColumnElement[bool] = f.balance_after != f.balance_before + f.balance_delta
        return broken

    columns = (ledger.c[name] for name in ("number", "account", "balance_delta", "balance_after"))
    return Check(
        sa.select(*columns, sa.func.coalesce(before, 0).label("balance_before")).subquery("facts"),
        Rule(
            "ENTRY_CHAIN_BROKEN",
            is_broken,
            "Entry {number} of account {user!r} leaves {balance_after}, but {balance_before} and its {balance_delta}"
            " make another sum.",
            "An entry was changed, removed or put in by hand: restore the backup from before that.",
        ),
    )


CHAINS: Final = {"sqlite": _chain(_looked_up), "postgresql": _chain(_gone_by)}
"""By database: SQLite looks into the index in half the time of a window, Postgres takes five times as long for it."""
