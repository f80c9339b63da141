"""Ranking: what explains others comes first, and what is explained stands below it. Pure.

`BECAUSE` is the table of causes; a rule that knows better says so itself. A cause counts only if it was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from safelight.diagnosis.finding import Finding, Severity


class Because(NamedTuple):
    """`symptom` is explained by `cause`; with `same_subject` only where both are about the same queue or provider."""

    symptom: str
    cause: str
    same_subject: bool = False


BECAUSE: Final = (
    Because("NEVER_STARTED", "UNKNOWN_SETTING"),
    Because("NEVER_STARTED", "INVALID_SETTING"),
    Because("DATABASE_UNREACHABLE", "INVALID_SETTING"),
    Because("NO_WORKER_FOR_QUEUE", "UNKNOWN_SETTING"),
    Because("NO_WORKER_FOR_QUEUE", "INVALID_SETTING"),
    Because("NO_WORKER_FOR_QUEUE", "CONTRADICTORY_SETTINGS"),
    Because("NO_WORKER_FOR_QUEUE", "BAD_CATALOG"),
    Because("NO_WORKER_FOR_QUEUE", "WORKER_TOO_OLD"),
    Because("NO_WORKER_FOR_QUEUE", "DATABASE_BUSY"),
    Because("DATABASE_UNREACHABLE", "DATABASE_BUSY"),
    Because("WORKER_MISSING", "NO_WORKER_FOR_QUEUE", same_subject=True),
    Because("SWEEPER_DEAD", "DATABASE_BUSY"),
    Because("LOOP_LAG", "DATABASE_BUSY"),
    Because("JOBS_PAST_DEADLINE", "SWEEPER_DEAD"),
    Because("JOBS_PAST_DEADLINE", "DATABASE_BUSY"),
    Because("BACKLOG", "NO_WORKER_FOR_QUEUE", same_subject=True),
    Because("BACKLOG", "WORKER_MISSING", same_subject=True),
    Because("STORAGE_FULL", "DISK_LOW"),
    Because("ERROR_RATE", "STORAGE_DENIED", same_subject=True),
    Because("ERROR_RATE", "STORAGE_FULL", same_subject=True),
    Because("ERROR_RATE", "STORAGE_UNREACHABLE", same_subject=True),
    Because("ERROR_RATE", "PROVIDER_UNAUTHORIZED", same_subject=True),
    Because("ERROR_RATE", "PROVIDER_OUT_OF_CREDIT", same_subject=True),
    Because("ERROR_RATE", "PROVIDER_UNREACHABLE", same_subject=True),
    Because("ERROR_RATE", "PROVIDER_ERRORS", same_subject=True),
    Because("PROVIDER_ERRORS", "PROVIDER_UNREACHABLE", same_subject=True),
    Because("WORKER_RESTARTS", "MEMORY_HIGH"),
)


class Ranked(NamedTuple):
    """A root, and what follows from it."""

    root: Finding
    consequences: tuple[Finding, ...] = ()


def ranked(found: Iterable[Finding]) -> list[Ranked]:
    """Roots, each with what it explains, the worst first; a root is as bad as the worst that follows from it."""
    linked = _linked(list(found))
    roots = [finding for finding in linked if finding.because_of is None]
    explained = [(finding, _root_of(finding, linked, roots)) for finding in linked if finding.because_of is not None]
    lost = [replace(finding, because_of=None) for finding, root in explained if root is None]
    groups = [
        Ranked(root, tuple(sorted((each for each, its in explained if its is root), key=_weight)))
        for root in (*roots, *lost)
    ]
    return sorted(
        groups, key=lambda group: (min(map(_badness, (group.root, *group.consequences))), _weight(group.root))
    )


def _weight_of(group: Ranked) -> tuple[int, tuple[int, int, int, str]]:
    return min(_badness(finding) for finding in (group.root, *group.consequences)), _weight(group.root)


def in_order(found: Iterable[Finding]) -> list[Finding]:
    """All of them: each root before what follows from it, the worst root first."""
    return [finding for group in ranked(found) for finding in (group.root, *group.consequences)]


def _linked(found: Sequence[Finding]) -> list[Finding]:
    """Each with the cause that was found, or with none. What was only suspected explains nothing."""
    return [replace(finding, because_of=_cause(finding, found)) for finding in found]


def _cause(finding: Finding, found: Sequence[Finding]) -> str | None:
    if finding.because_of and any(each.code == finding.because_of and _is_trouble(each) for each in found):
        return finding.because_of
    for edge in BECAUSE:
        if edge.symptom == finding.code and any(_explains(each, finding, edge) for each in found):
            return edge.cause
    return None


def _explains(cause: Finding, symptom: Finding, edge: Because) -> bool:
    about_it = not edge.same_subject or cause.subject == symptom.subject
    return cause.code == edge.cause and about_it and _is_trouble(cause)


def _is_trouble(finding: Finding) -> bool:
    return finding.severity is not Severity.INFO


def _root_of(finding: Finding, linked: Sequence[Finding], roots: Sequence[Finding]) -> Finding | None:
    """Where the chain of its causes begins, best at a root about the same thing; None if it goes in a circle."""
    by_code = {each.code: each for each in (*linked, *roots)}  # a root stands for its code
    seen, code = {finding.code}, finding.because_of
    while code is not None and code not in seen and (above := by_code.get(code)) is not None:
        if above.because_of is None:
            same = (root for root in roots if root.code == code and root.subject == finding.subject)
            return next(same, above)
        seen.add(code)
        code = above.because_of
    return None


def _badness(finding: Finding) -> int:
    return -finding.severity.rank


def _weight(finding: Finding) -> tuple[int, int, int, str]:
    """The worst first; of equals those about settings and what everything rests on, then what most hangs on."""
    return _badness(finding), _place(finding.code), -finding.affects.jobs, finding.subject


_FIRST: Final = (
    "UNKNOWN_SETTING",
    "CONTRADICTORY_SETTINGS",
    "INVALID_SETTING",
    "BAD_CATALOG",
    "DATABASE_UNREACHABLE",
    "NOT_MIGRATED",
    "DATABASE_BUSY",
    "DISK_LOW",
    "STORAGE_DENIED",
    "STORAGE_FULL",
    "STORAGE_UNREACHABLE",
    "NO_WORKER_FOR_QUEUE",
    "WORKER_MISSING",
    "PROVIDER_UNAUTHORIZED",
    "PROVIDER_OUT_OF_CREDIT",
    "PROVIDER_UNREACHABLE",
)


def _place(code: str) -> int:
    return _FIRST.index(code) if code in _FIRST else len(_FIRST)
