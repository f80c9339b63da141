"""Credits: what accounts hold is what unfinished jobs hold."""

from __future__ import annotations

from collections.abc import Iterator

from safelight.diagnosis.facts import Facts
from safelight.diagnosis.finding import Affected, Finding, Remedy, Severity
from safelight.diagnosis.rules.registry import rule


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
