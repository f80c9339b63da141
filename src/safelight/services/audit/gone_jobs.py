"""Jobs whose rows were pruned: their entries stay, and must show that they were held once and settled once."""

from __future__ import annotations

import sqlalchemy as sa

from safelight.services.audit.rules import Check, Rule, count_of, sum_of
from safelight.store.tables import jobs, ledger

_facts = (
    sa.select(
        ledger.c.job.label("number"),
        sa.func.min(ledger.c.account).label("account"),
        sa.func.max(ledger.c.account).label("other_account"),
        count_of("hold").label("holds"),
        sum_of(ledger.c.held_delta, "hold").label("held"),
        count_of("capture", "release").label("settlements"),
        sum_of(-ledger.c.balance_delta, "capture", "release").label("paid"),
        sum_of(-ledger.c.held_delta, "capture", "release").label("freed"),
        sum_of(ledger.c.balance_delta, "refund").label("refunded"),
    )
    .where(ledger.c.job.is_not(None), sa.not_(sa.exists().where(jobs.c.number == ledger.c.job)))
    .group_by(ledger.c.job)
    .subquery("facts")
)
_RESTORE = "Rows were changed or removed by hand: restore the backup from before that."

GONE_JOBS = Check(
    _facts,
    Rule(
        "HOLD_ORPHANED",
        lambda f: sa.and_(f.holds > 0, f.settlements == 0),
        "Account {user!r} holds {held} for job number {number}, which does not exist and was never settled.",
        "The job's row was removed by hand before it ended: restore the backup from before that.",
    ),
    Rule(
        "GONE_JOB_WRONG",
        lambda f: sa.or_(
            f.holds != 1,
            f.settlements > 1,
            sa.and_(f.settlements == 1, f.freed != f.held),
            f.refunded > f.paid,
            f.account != f.other_account,
        ),
        "Job number {number}, pruned, has {holds} holds of {held} and {settlements} settlements that paid {paid} and"
        " freed {freed}; {refunded} was refunded.",
        _RESTORE,
    ),
)
