"""The audit: whether accounts, ledger and jobs tell the same story. It only reads, and finds nothing where they do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from safelight.services.audit.accounts import ACCOUNTS
from safelight.services.audit.entries import CHAINS, ENTRIES
from safelight.services.audit.gone_jobs import GONE_JOBS
from safelight.services.audit.jobs import JOBS
from safelight.services.audit.rules import MOST, Finding
from safelight.store.tx import Tx

__all__ = ["CHECKS", "MOST", "Finding", "audit"]

CHECKS: Final = {database: (ACCOUNTS, ENTRIES, chain, JOBS, GONE_JOBS) for database, chain in CHAINS.items()}


def audit(tx: Tx) -> Iterator[Finding]:
    """Everything that does not add up, after any commit; of each check the first few hundred rows.

    Each is one statement over integers that passes its table once, in order, and gives only what is wrong.
    """
    for check in CHECKS[tx.dialect.name]:
        yield from check.findings(tx)
