"""Credits: what accounts hold is what unfinished jobs hold, and no more is used than usual."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from safelight.diagnosis.facts import Facts
from safelight.diagnosis.finding import Affected, Finding, Remedy, Severity
from safelight.diagnosis.rules.registry import rule

LEAST_CREDITS = 100
"""Less in an hour is no spike, however little was usual."""


@rule("LEDGER_MISMATCH")
def ledger_mismatch(facts: Facts) -> Iterator[Finding]:
    """Accounts hold other credits than their unfinished jobs should."""
    rows = facts.rows
    if rows is None or rows.held_by_accounts == rows.held_by_jobs:
        return
    difference = rows.held_by_accounts - rows.held_by_jobs
    yield Finding(
        "LEDGER_MISMATCH",
        Severity.ERROR,
        "credits",
        f"Accounts hold {rows.held_by_accounts:,} credits; their unfinished jobs should hold {rows.held_by_jobs:,}.",
        "Rows were changed or removed by hand, or a copy of the database is not whole.",
        Remedy("See which accounts and jobs it is.", "safelight credits audit"),
        evidence={"held": rows.held_by_accounts, "should_be_held": rows.held_by_jobs, "difference": difference},
        affects=Affected(0, abs(difference)),
    )


@rule("CREDIT_SPIKE")
def credit_spike(facts: Facts) -> Iterator[Finding]:
    """Far more credits were used within the last hour than in the mean hour of the last seven days."""
    spent = facts.rows.spending if facts.rows else None
    times = facts.configuration.thresholds.credits_times
    if spent is None or not spent.hours or spent.last_hour < max(LEAST_CREDITS, times * spent.mean):
        return
    who = f"{spent.most_of!r} used {spent.of_them:,} of them." if spent.most_of else "Nobody used most of them."
    yield Finding(
        "CREDIT_SPIKE",
        Severity.WARNING,
        "credits",
        f"{spent.last_hour:,} credits were used within an hour; the mean of the last {spent.hours} hours is"
        f" {spent.mean:,.1f}.",
        f"{who} A new customer, a program that submits again and again, or a key in wrong hands.",
        Remedy(
            "See what they were for; revoke the key if it is in wrong hands.",
            f"safelight credits ledger {shlex.quote(spent.most_of)}" if spent.most_of else "safelight credits audit",
        ),
        evidence={
            "last_hour": spent.last_hour,
            "mean": round(spent.mean, 2),
            "hours": spent.hours,
            "most_of": spent.most_of,
            "of_them": spent.of_them,
        },
        affects=Affected(0, spent.last_hour),
    )
