"""The audit as a command runs it: its checks beside one another, each on one state of the database.

A check is one statement and compares what stands in its own state: it does not matter that two see different ones.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from safelight.services.audit import CHECKS
from safelight.services.audit.rules import Check, Finding
from safelight.store.database import Database, Limits

AT_A_TIME: Final = 2
LONG: Final = Limits(read_s=3600.0, read_cache_kib=64 * 1024)
"""What a database is opened with to be audited: some seconds per million jobs, beside all that goes on."""


def audit_beside(database: Database) -> list[Finding]:
    """Everything that does not add up, in the order of the checks; of each the first few hundred rows."""
    accounts, entries, chain, jobs, gone = checks = CHECKS[_name(database)]

    def findings(check: Check) -> list[Finding]:
        with database.reading() as tx:
            return list(check.findings(tx))

    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="safelight-audit") as pool:
        found = {
            check: pool.submit(findings, check) for check in (jobs, chain, gone, entries, accounts)
        }  # longest first
        return [finding for check in checks for finding in found[check].result()]


def _name(database: Database) -> str:
    with database.reading() as tx:
        return str(tx.dialect.name)
