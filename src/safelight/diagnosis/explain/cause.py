"""One reason why a job stands where it stands: the finding, what its user is told, what would set it going."""

from __future__ import annotations

from dataclasses import dataclass

from safelight.diagnosis.explain.job_facts import JobFacts
from safelight.diagnosis.finding import Affected, Evidence, Finding, Remedy, Severity


@dataclass(frozen=True, slots=True)
class Cause:
    """`user` names nothing of the inside: no host, no worker, no other user. `sooner` ends `would start if`."""

    finding: Finding
    user: str
    sooner: str | None = None


def cause(
    facts: JobFacts,
    code: str,
    severity: Severity,
    symptom: str,
    why: str,
    remedy: Remedy,
    *,
    user: str,
    sooner: str | None = None,
    evidence: Evidence | None = None,
    subject: str = "",
) -> Cause:
    """About this job: itself and the credits that it holds are what is affected."""
    held = facts.job.price if facts.job.is_live else 0
    affected = Affected() if severity is Severity.INFO and not facts.job.is_live else Affected(1, held)
    finding = Finding(code, severity, subject or facts.job.id, symptom, why, remedy, evidence or {}, affected)
    return Cause(finding, user, sooner)


NOTHING_TO_DO = Remedy("Nothing needs to be done.")
