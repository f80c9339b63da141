"""Every rule, as its module puts it on the list. What they find is in no order: that is for `ranking.py`."""

from __future__ import annotations

from collections.abc import Iterator

from safelight.diagnosis.facts import Facts
from safelight.diagnosis.finding import Finding
from safelight.diagnosis.rules import database, ledger, news, providers, queues, settings, storage, workers
from safelight.diagnosis.rules.registry import RULES, Rule

__all__ = [
    "RULES",
    "Rule",
    "database",
    "findings",
    "ledger",
    "news",
    "providers",
    "queues",
    "settings",
    "storage",
    "workers",
]


def findings(facts: Facts) -> Iterator[Finding]:
    """What every rule finds, in no order."""
    for rule in RULES:
        yield from rule.look(facts)
