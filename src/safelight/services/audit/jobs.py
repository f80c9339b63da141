"""Jobs that exist: one hold of the price, one settlement as they ended, and no refund of more than was captured."""

from __future__ import annotations

import sqlalchemy as sa

from safelight.domain.jobs import LIVE, TERMINAL
from safelight.services.audit.rules import Check, Facts, Rule, count_of, sum_of
from safelight.store.tables import jobs, ledger

_facts = (
    sa.select(
        *(jobs.c[name] for name in ("number", "id", "account", "kind", "status", "price", "captured", "settled")),
        count_of("hold").label("holds"),
        sum_of(ledger.c.held_delta, "hold").label("held"),
        count_of("capture").label("captures"),
        count_of("release").label("releases"),
        sum_of(-ledger.c.balance_delta, "capture", "release").label("paid"),
        sum_of(-ledger.c.held_delta, "capture", "release").label("freed"),
        sum_of(ledger.c.balance_delta, "refund").label("refunded"),
        sa.func.count(sa.case((ledger.c.account != jobs.c.account, 1))).label("foreign_entries"),
    )
    .select_from(jobs.outerjoin(ledger, ledger.c.job == jobs.c.number))
    .group_by(jobs.c.number)
    .subquery("facts")
)


def _is_live(f: Facts) -> sa.ColumnElement[bool]:
    status: sa.ColumnElement[str] = f.status
    return status.in_(sorted(LIVE))


def _ended(f: Facts) -> sa.ColumnElement[bool]:
    status: sa.ColumnElement[str] = f.status
    return status.in_(sorted(TERMINAL))


def _settlements(f: Facts) -> sa.ColumnElement[int]:
    together: sa.ColumnElement[int] = f.captures + f.releases
    return together


_SHOW = "safelight jobs show {id}"
_RESTORE = "Rows were changed or removed by hand: restore the backup from before that."
_GIVE_BACK = "Correct what the user lost or gained by it with `safelight credits adjust`, and look into the job."

JOBS = Check(
    _facts,
    Rule("JOB_NOT_HELD", lambda f: f.holds == 0, "Job {id} costs {price}, but nothing was ever held for it.", _RESTORE),
    Rule(
        "JOB_HELD_TWICE",
        lambda f: f.holds > 1,
        "Job {id} costs {price}; {holds} holds of together {held} were taken for it.",
        _GIVE_BACK,
    ),
    Rule(
        "HOLD_WRONG",
        lambda f: sa.and_(f.holds == 1, f.held != f.price),
        "Job {id} costs {price}, but {held} was held for it.",
        _RESTORE,
    ),
    Rule(
        "JOB_NOT_SETTLED",
        lambda f: sa.and_(_ended(f), _settlements(f) == 0),
        "Job {id} ended as {status}, but its hold of {held} was neither captured nor released.",
        _RESTORE,
    ),
    Rule(
        "JOB_SETTLED_TWICE",
        lambda f: _settlements(f) > 1,
        "Job {id} was settled {captures} times by capture and {releases} times by release, paying {paid} together.",
        _GIVE_BACK,
    ),
    Rule(
        "JOB_SETTLED_EARLY",
        lambda f: sa.and_(_is_live(f), _settlements(f) > 0),
        "Job {id} is {status}, but was settled already: {paid} paid, {freed} freed.",
        "It may be settled again when it ends: cancel it, then look into its entries.",
        "safelight jobs cancel {id}",
    ),
    Rule(
        "SETTLEMENT_WRONG",
        lambda f: sa.and_(_ended(f), _settlements(f) == 1, sa.or_(f.paid != f.captured, f.freed != f.price)),
        "Job {id} captured {captured} of a price of {price}, but its settlement paid {paid} and freed {freed}.",
        _GIVE_BACK,
    ),
    Rule(
        "CAPTURED_EARLY",
        lambda f: sa.and_(_is_live(f), f.captured != 0),
        "Job {id} is {status}, but its row says that {captured} was captured.",
        _RESTORE,
        _SHOW,
    ),
    Rule(
        "CAPTURED_UNDELIVERED",
        lambda f: sa.and_(f.status.in_(["failed", "canceled"]), f.captures > 0),
        "Job {id} ended as {status}, but {paid} was captured for it.",
        "Give back what was taken for nothing.",
        "safelight credits refund {id}",
    ),
    Rule(
        "RELEASED_DELIVERED",
        lambda f: sa.and_(f.status.in_(["completed", "partial"]), f.releases > 0),
        "Job {id} ended as {status}, but its hold of {held} was released: it was delivered for nothing.",
        _GIVE_BACK,
        _SHOW,
    ),
    Rule(
        "REFUND_TOO_HIGH",
        lambda f: f.refunded > f.paid,
        "{refunded} was refunded for job {id}, which paid {paid}.",
        _GIVE_BACK,
    ),
    Rule(
        "ENTRY_OF_ANOTHER_ACCOUNT",
        lambda f: f.foreign_entries > 0,
        "Job {id} is paid by account {user!r}, but {foreign_entries} of its entries are of another account.",
        _RESTORE,
    ),
    Rule(
        "SETTLED_FLAG_WRONG",
        lambda f: f.settled != _ended(f),
        "Job {id} is {status}, but its row says settled: {settled}.",
        _RESTORE,
        _SHOW,
    ),
    Rule(
        "BATCH_HAS_PRICE",
        lambda f: sa.and_(f.kind == "batch", f.price != 0),
        "Batch {id} costs {price}, but only its items cost anything.",
        _RESTORE,
        _SHOW,
    ),
)
