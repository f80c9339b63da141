"""Accounts: the balance is what the last entry left, and held is what live jobs were promised.

That each entry adds up with the one before is checked in `entries.py`, that each job's entries hold and free what they
must in `jobs.py`: so together this is the sum over the whole ledger, without a sum.
"""

from __future__ import annotations

import sqlalchemy as sa

from safelight.domain.jobs import LIVE
from safelight.services.audit.rules import Check, Rule
from safelight.store.tables import accounts, jobs, ledger

_last_left = (
    sa.select(ledger.c.balance_after)
    .where(ledger.c.account == accounts.c.number)
    .order_by(ledger.c.number.desc())
    .limit(1)
    .correlate(accounts)
    .scalar_subquery()
)
_live = (
    sa.select(jobs.c.account, sa.func.sum(jobs.c.price).label("price"))
    .where(jobs.c.status.in_(sorted(LIVE)))
    .group_by(jobs.c.account)
    .subquery("live")
)
_facts = (
    sa.select(
        accounts.c.number.label("account"),
        accounts.c.balance,
        accounts.c.held,
        sa.func.coalesce(_last_left, 0).label("entered"),
        sa.func.coalesce(_live.c.price, 0).label("held_by_jobs"),
    )
    .select_from(accounts.outerjoin(_live, _live.c.account == accounts.c.number))
    .subquery("facts")
)

ACCOUNTS = Check(
    _facts,
    Rule(
        "BALANCE_WRONG",
        lambda f: f.balance != f.entered,
        "Account {user!r} has a balance of {balance}, but its last entry left {entered}.",
        "Restore the backup from before that, or set the account's balance to {entered} by hand.",
    ),
    Rule(
        "HELD_WRONG",
        lambda f: f.held != f.held_by_jobs,
        "Account {user!r} holds {held}, but its unfinished jobs hold {held_by_jobs}.",
        "If no job is among the other findings, set what the account holds to {held_by_jobs} by hand.",
    ),
)
