"""The audit of a whole database as a test's last word: whether accounts, ledger and jobs tell the same story.

Run it after every scenario that moves jobs, and in the middle of it: it holds after every commit.
"""

from __future__ import annotations

from safelight.services.audit import audit
from safelight.store.tx import Tx


def assert_books_balance(tx: Tx) -> None:
    """Raise AssertionError with everything that does not add up."""
    found = [f"{finding.code}: {finding.what}" for finding in audit(tx)]
    if found:
        raise AssertionError("The books do not balance:\n" + "\n".join(found))
