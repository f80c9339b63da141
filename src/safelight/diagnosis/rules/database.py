"""The database: there, of the right schema, free to write, its clock right."""

from __future__ import annotations

from collections.abc import Iterator

from safelight.diagnosis.facts import Facts
from safelight.diagnosis.finding import Finding, Remedy, Severity
from safelight.diagnosis.rules.registry import rule
from safelight.diagnosis.words import span

WRITES_LONG_S, WRITES_TOO_LONG_S = 5.0, 30.0
SKEWED_S = 5.0


@rule("NEVER_STARTED")
def never_started(facts: Facts) -> Iterator[Finding]:
    """There is no database yet: nothing was ever started with these settings."""
    database = facts.database
    if not database.exists or (database.schema is None and database.trouble is None):
        yield Finding(
            "NEVER_STARTED",
            Severity.INFO,
            "database",
            f"The database at {database.where} is empty."
            if database.exists
            else f"There is no database at {database.where}.",
            "Nothing was ever started with these settings, or they name another place than the server's.",
            Remedy("Start the server, or go to the folder in which it was started.", "safelight serve"),
            evidence={"database": database.where},
        )


@rule("DATABASE_UNREACHABLE")
def database_unreachable(facts: Facts) -> Iterator[Finding]:
    """The database does not answer, or may not be written."""
    if trouble := facts.database.trouble:
        yield Finding(
            "DATABASE_UNREACHABLE",
            Severity.CRITICAL,
            "database",
            trouble.what,
            "Nothing can be accepted, run or finished without it.",
            trouble.remedy,
            evidence={"database": facts.database.where, "kind": trouble.kind},
        )


@rule("NOT_MIGRATED")
def not_migrated(facts: Facts) -> Iterator[Finding]:
    """The database has another schema than this release needs."""
    database = facts.database
    if not database.exists or database.trouble or database.schema is None or database.is_migrated:
        return
    evidence = {"schema": database.schema, "needed": database.needed}
    if database.is_newer:
        cause = f"A later release upgraded it; this one needs schema {database.needed}."
        remedy = Remedy(
            "Install that release here, or restore the backup made before its upgrade.", "safelight restore"
        )
    else:
        cause = f"This release needs schema {database.needed}; workers wait for it and then give up."
        remedy = Remedy("Upgrade it; a server does that when it starts.", "safelight db upgrade")
    symptom = f"The database has schema {database.schema}."
    yield Finding("NOT_MIGRATED", Severity.CRITICAL, "database", symptom, cause, remedy, evidence)


@rule("DATABASE_BUSY")
def database_busy(facts: Facts) -> Iterator[Finding]:
    """One process has kept the right to write for so long that all others wait."""
    database = facts.database
    if database.writer_pid is None or database.writer_since_s < WRITES_LONG_S:
        return
    since = span(database.writer_since_s)
    yield Finding(
        "DATABASE_BUSY",
        Severity.ERROR if database.writer_since_s >= WRITES_TOO_LONG_S else Severity.WARNING,
        "database",
        f"Process {database.writer_pid} has kept the right to write for {since}.",
        "It is stopped, hangs or writes very much at once; every other write waits behind it.",
        Remedy(
            "See what it does; if it is stopped let it go on, else end it.",
            f"ps -o pid,stat,etime,args {database.writer_pid}",
        ),
        evidence={"pid": database.writer_pid, "held_s": round(database.writer_since_s, 1)},
    )


@rule("CLOCK_SKEW")
def clock_skew(facts: Facts) -> Iterator[Finding]:
    """The clocks of this machine and of the database's differ: links expire early or late, times in logs mislead."""
    ahead_s = facts.database.clock_ahead_s
    if facts.rows is None or abs(ahead_s) < SKEWED_S:
        return
    yield Finding(
        "CLOCK_SKEW",
        Severity.WARNING,
        "clock",
        f"The database's clock is {span(abs(ahead_s))} {'ahead of' if ahead_s > 0 else 'behind'} this machine's.",
        "One of the two does not follow a time server.",
        Remedy("Let both machines follow a time server.", "timedatectl status"),
        evidence={"database_ahead_s": round(ahead_s, 1)},
    )
