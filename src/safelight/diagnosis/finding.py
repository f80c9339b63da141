"""A finding: what is seen, the numbers that show it, why it is so, and one thing that mends it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from safelight.domain.errors import Remedy

__all__ = ["Affected", "Evidence", "Finding", "Remedy", "Severity", "status_of"]

Value = str | int | float | bool | None
Evidence = Mapping[str, "Value | Sequence[Value] | Mapping[str, Value]"]
"""What was measured, by name: numbers, times as RFC 3339, short texts, lists and mappings of those."""


class Severity(StrEnum):
    """`info` is worth knowing and nothing is wrong; from `error` on jobs wait, fail or are refused because of it."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Affected(NamedTuple):
    """How much hangs on it: jobs that wait or failed, and the credits they hold."""

    jobs: int = 0
    credits: int = 0


NOTHING = Affected()


@dataclass(frozen=True, slots=True)
class Finding:
    """`because_of` is the code of another finding that explains this one: what mends that mends this."""

    code: str
    severity: Severity
    subject: str
    symptom: str
    cause: str
    remedy: Remedy
    evidence: Evidence = field(default_factory=dict)
    affects: Affected = NOTHING
    because_of: str | None = None

    def body(self) -> dict[str, Any]:
        """As it is shown everywhere (FRONT_DOORS, section 8)."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "subject": self.subject,
            "symptom": self.symptom,
            "evidence": dict(self.evidence),
            "cause": self.cause,
            "remedy": {"text": self.remedy.text, "command": self.remedy.command},
            "because_of": self.because_of,
            "affects": self.affects._asdict(),
        }


def finding_of(body: Mapping[str, Any]) -> Finding:
    """The reverse of `body`: what another process has found. Raises KeyError or ValueError for what is no finding."""
    return Finding(
        body["code"],
        Severity(body["severity"]),
        body["subject"],
        body["symptom"],
        body["cause"],
        Remedy(body["remedy"]["text"], body["remedy"]["command"]),
        dict(body["evidence"]),
        Affected(**body["affects"]),
        body["because_of"],
    )


def status_of(findings: Iterable[Finding]) -> str:
    """`unhealthy` with any error, `degraded` with any warning, else `healthy`."""
    worst = max((finding.severity.rank for finding in findings), default=0)
    if worst >= Severity.ERROR.rank:
        return "unhealthy"
    return "degraded" if worst == Severity.WARNING.rank else "healthy"
