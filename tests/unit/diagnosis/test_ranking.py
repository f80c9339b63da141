"""What explains others comes first; what is explained stands below it."""

from __future__ import annotations

from dataclasses import replace

from safelight.diagnosis.facts import Group
from safelight.diagnosis.finding import Affected, Finding, Remedy, Severity, status_of
from safelight.diagnosis.ranking import in_order, ranked
from safelight.diagnosis.rules import findings
from tests.support.facts import NOW, gone, queue, with_rows


def found(code: str, subject: str = "image", severity: Severity = Severity.ERROR, **more: object) -> Finding:
    return Finding(code, severity, subject, "It is so.", "Because.", Remedy("Mend it."), **more)  # type: ignore[arg-type]


def test_a_cause_stands_before_its_symptoms_whatever_their_severity() -> None:
    low, full = found("DISK_LOW", severity=Severity.WARNING), found("STORAGE_FULL", severity=Severity.CRITICAL)
    assert [(f.code, f.because_of) for f in in_order([full, low])] == [("DISK_LOW", None), ("STORAGE_FULL", "DISK_LOW")]


def test_a_cause_is_as_bad_as_the_worst_that_follows_from_it() -> None:
    busy = found("DATABASE_BUSY", severity=Severity.WARNING)
    dead = found("SWEEPER_DEAD", severity=Severity.CRITICAL)
    assert [f.code for f in in_order([found("SLOW"), dead, busy])] == ["DATABASE_BUSY", "SWEEPER_DEAD", "SLOW"]


def test_a_suspected_cause_that_was_not_found_explains_nothing() -> None:
    late = found("JOBS_PAST_DEADLINE", because_of="SWEEPER_DEAD")
    assert [f.because_of for f in in_order([late])] == [None]


def test_what_is_only_worth_knowing_explains_nothing() -> None:
    idle = found("NO_WORKER_FOR_QUEUE", severity=Severity.INFO)
    assert [f.because_of for f in in_order([idle, found("BACKLOG")])] == [None, None]


def test_symptoms_of_one_queue_are_not_blamed_on_another() -> None:
    groups = ranked([found("NO_WORKER_FOR_QUEUE", "video"), found("BACKLOG", "image")])
    assert [(group.root.code, len(group.consequences)) for group in groups] == [
        ("NO_WORKER_FOR_QUEUE", 0),
        ("BACKLOG", 0),
    ]


def test_a_chain_of_causes_is_folded_under_its_beginning() -> None:
    facts = with_rows(
        queues=(queue(ready=200, waiting_since=NOW - 900),),
        workers=(gone(),),
        live_jobs=Group(200),
        past_deadline=Group(3, 30, 60.0),
    )
    (group,) = ranked(findings(facts))
    assert group.root.code == "NO_WORKER_FOR_QUEUE"
    assert {f.code for f in group.consequences} == {"SWEEPER_DEAD", "JOBS_PAST_DEADLINE", "BACKLOG"}


def test_of_two_roots_of_one_severity_the_one_on_which_more_hangs_comes_first() -> None:
    few, many = (found("NO_WORKER_FOR_QUEUE", str(n), affects=Affected(n)) for n in (1, 9))
    assert [f.subject for f in in_order([few, many])] == ["9", "1"]


def test_two_codes_that_explain_each_other_do_not_end_in_a_circle() -> None:
    one = found("BACKLOG", because_of="ERROR_RATE")
    other = found("ERROR_RATE", because_of="BACKLOG")
    assert {f.code for f in in_order([one, other])} == {"BACKLOG", "ERROR_RATE"}


def test_the_status_is_that_of_the_worst() -> None:
    info = found("A", severity=Severity.INFO)
    warning = replace(info, severity=Severity.WARNING)
    assert status_of([]) == status_of([info]) == "healthy"
    assert status_of([info, warning]) == "degraded"
    assert status_of([warning, replace(info, severity=Severity.CRITICAL)]) == "unhealthy"
