"""The doctor: gather the facts, apply every rule, put what was found in order."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from safelight.diagnosis.facts import Facts
from safelight.diagnosis.finding import Finding, status_of
from safelight.diagnosis.gather import gather
from safelight.diagnosis.ranking import Ranked, in_order, ranked
from safelight.diagnosis.rules import findings
from safelight.diagnosis.sources import Sources
from safelight.domain.clock import as_rfc3339


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, the root first. `groups` has what follows from each root below it."""

    checked_at: float
    took_s: float
    groups: tuple[Ranked, ...]
    facts: Facts = Facts()  # noqa: RUF009  # a frozen value

    @property
    def findings(self) -> list[Finding]:
        return [finding for group in self.groups for finding in (group.root, *group.consequences)]

    @property
    def status(self) -> str:
        return status_of(self.findings)

    def body(self) -> dict[str, Any]:
        """As `safelight doctor --json` prints it."""
        return {
            "status": self.status,
            "checked_at": as_rfc3339(self.checked_at),
            "took_s": round(self.took_s, 3),
            "findings": [finding.body() for finding in self.findings],
        }


async def examine(sources: Sources) -> Report:
    """Look at everything now."""
    checked_at, started = time.time(), time.monotonic()
    facts = await gather(sources)
    return Report(checked_at, time.monotonic() - started, tuple(ranked(findings(facts))), facts)


def judged(facts: Facts) -> list[Finding]:
    """What these facts mean, in order: for tests, and for whoever has facts already."""
    return in_order(findings(facts))
