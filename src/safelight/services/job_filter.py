"""Which jobs are meant: a filter, and the jobs that it finds, with all that decides what may be done to each.

One for operators, who mean the jobs of everybody, and for users, who mean their own. Every set of conditions has its
own statement, led by an index that holds few rows: of what is alive, of one user, of one label, or of the last ends.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LIVE
from safelight.services.gate_parking import gate_of
from safelight.services.moves import HAS_OPEN_CALL
from safelight.services.sql import INTEGER, REAL, arg, as_json
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, calls, labels = tables.jobs, tables.calls, tables.labels
recoveries, recovery_jobs = tables.recoveries, tables.recovery_jobs

AS_LATE_AS_S = 86_400.0
"""Without a user, ended jobs are looked for among those that were submitted within this time, unless it is said."""


class Walk(StrEnum):
    """What leads to the jobs."""

    LIVE = "live"
    """All that is alive, by deadline; items of batches each for itself."""
    OWN = "own"
    """A user's, newest first, as their list has them: batches as one. Status by status, as their index has it."""
    LABELLED = "labelled"
    """The same, by the first label."""
    ENDED = "ended"
    """Everybody's last ends, by time; batches as one."""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """All of it must be so; what is None or empty does not matter. Times are epoch seconds."""

    statuses: tuple[str, ...]
    """At least one."""
    queue: str | None = None
    model: str | None = None
    provider: str | None = None
    """It is pinned to it, waits for its gate, or has called it."""
    kind: str | None = None
    error_code: str | None = None
    user: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    submitted_after: float | None = None
    submitted_before: float | None = None
    finding: str | None = None
    """What was found wrong, where that is what meant these jobs; for the record."""

    def stored(self) -> str:
        """As JSON, for whoever wants to know later what was meant."""
        return as_json({name: value for name, value in asdict(self).items() if value not in (None, ())})

    def older_than(self, seconds: float | None, now: float) -> JobFilter:
        """Submitted so long ago, at least."""
        if seconds is None:
            return self
        before = now - seconds
        return replace(self, submitted_before=min(before, self.submitted_before or before))

    def bounded(self, now: float) -> JobFilter:
        """Not back to the first job there ever was."""
        if self.user is not None or self.submitted_after is not None or LIVE.issuperset(self.statuses):
            return self
        return replace(self, submitted_after=now - AS_LATE_AS_S)


def read_filter(stored: str) -> JobFilter:
    """What `stored` has written."""
    given = json.loads(stored)
    given["statuses"] = tuple(given["statuses"])
    given["labels"] = tuple((key, value) for key, value in given.get("labels", ()))
    return JobFilter(**given)


class Found(NamedTuple):
    """A job that the filter means, and what decides whether it may be touched."""

    number: int
    id: str
    user_id: str
    kind: str
    queue: str
    model: str
    status: str
    price: int
    created_at: float
    called: bool
    """A call of it is open: a provider may have been paid."""
    tried: bool
    """It was claimed at least once."""
    later: bool
    """It is not due yet: it waits for its next try or, untried, for the start time its user gave it."""
    stopping: bool
    """It was to be canceled."""
    again: bool
    """It was made again by a later job."""
    planned: str | None
    """The recovery in which it waits to be dealt with."""


class _Number(NamedTuple):
    number: int


_later_job = jobs.alias("later_job")
_planned = (
    sa.select(sa.func.min(recoveries.c.id))
    .select_from(recovery_jobs.join(recoveries, recoveries.c.number == recovery_jobs.c.recovery))
    .where(
        recovery_jobs.c.job == jobs.c.number,
        recovery_jobs.c.outcome.is_(None),
        recoveries.c.state.in_(["planned", "running"]),
    )
    .correlate(jobs)
    .scalar_subquery()
)
_FOUND = (
    *(jobs.c[name] for name in Found._fields[:9]),
    HAS_OPEN_CALL.label("called"),
    jobs.c.started_at.is_not(None).label("tried"),
    jobs.c.due_at.is_not(None).label("later"),
    jobs.c.cancel_requested_at.is_not(None).label("stopping"),
    sa.exists().where(_later_job.c.replay_of == jobs.c.number).correlate(jobs).label("again"),
    _planned.label("planned"),
)
_numbers: sa.BindParameter[int] = sa.bindparam("numbers", expanding=True)
_THESE = Query(sa.select(*_FOUND).where(jobs.c.number.in_(_numbers)).order_by(jobs.c.number), Found)
_label = labels.alias("label")
_statuses: sa.BindParameter[str] = sa.bindparam("statuses", expanding=True)


def find(tx: Tx, wanted: JobFilter, at_most: int, *, whole: bool = False) -> list[Found]:
    """The jobs that are meant, at most so many. `whole`: a user's own, batches as one, the newest first."""
    given, labels_n = tuple(_conditions_of(wanted)), len(wanted.labels)
    values = {"at_most": at_most, **_values(wanted)}
    rows = list[Found]()
    for walk, statuses in _walks(wanted, whole):
        status = {"wanted_status": statuses[0]} if walk is Walk.OWN else {"statuses": list(statuses)}
        rows += tx.all(_select(walk, given, labels_n), **status, **values)
    return (sorted(rows, key=lambda row: -row.number) if whole else rows)[:at_most]


def look_again(tx: Tx, wanted: JobFilter, numbers: Sequence[int]) -> tuple[list[Found], frozenset[int]]:
    """Those of these jobs that are still there, and the numbers of those that the filter still means."""
    conditions = tuple(_conditions_of(wanted))
    still = tx.all(_still(conditions), numbers=numbers, statuses=list(wanted.statuses), **_values(wanted, labels=False))
    return tx.all(_THESE, numbers=numbers), frozenset(row.number for row in still)


def _walks(wanted: JobFilter, whole: bool) -> list[tuple[Walk, tuple[str, ...]]]:
    """Each with the statuses it looks for: what is alive and what has ended stand in different places."""
    live = () if whole else tuple(status for status in wanted.statuses if status in LIVE)
    others = tuple(status for status in wanted.statuses if status not in live)
    walks = [(Walk.LIVE, live)] if live else []
    if others and wanted.user is None:
        return [*walks, (Walk.ENDED, others)]
    if others and wanted.labels:
        return [*walks, (Walk.LABELLED, others)]
    return [*walks, *((Walk.OWN, (status,)) for status in others)]


_GIVEN = ("queue", "model", "provider", "kind", "error_code", "user", "submitted_after", "submitted_before")


def _conditions_of(wanted: JobFilter) -> list[str]:
    return [name for name in _GIVEN if getattr(wanted, name) is not None]


def _values(wanted: JobFilter, *, labels: bool = True) -> dict[str, Any]:
    given: dict[str, Any] = {f"wanted_{name}": getattr(wanted, name) for name in _conditions_of(wanted)}
    if wanted.provider is not None:
        given["gate"] = gate_of(wanted.provider)
    if wanted.error_code is not None:
        given["wanted_error_code"] = beginning = f'{{"code":{json.dumps(wanted.error_code)},'
        given["error_code_n"] = len(beginning)
    for n, (key, value) in enumerate(wanted.labels if labels else ()):
        given |= {f"label_key_{n}": key, f"label_value_{n}": value}
    return given


def _condition(name: str) -> sa.ColumnElement[bool]:
    match name:
        case "queue" | "model" | "kind":
            return jobs.c[name] == arg(f"wanted_{name}")
        case "user":
            return jobs.c.user_id == arg("wanted_user")
        case "provider":
            has_called = sa.exists().where(calls.c.job == jobs.c.number, calls.c.provider == arg("wanted_provider"))
            pinned = jobs.c.provider_pin == arg("wanted_provider")
            return sa.or_(pinned, jobs.c.waiting_for == arg("gate"), has_called.correlate(jobs))
        case "error_code":
            return sa.func.substr(jobs.c.error, 1, sa.cast(arg("error_code_n", INTEGER), sa.Integer)) == arg(
                "wanted_error_code"
            )
        case "submitted_after":
            return jobs.c.created_at >= arg("wanted_submitted_after", REAL)
        case _:
            return jobs.c.created_at <= arg("wanted_submitted_before", REAL)


def _led(walk: Walk, given: Sequence[str]) -> tuple[list[sa.ColumnElement[bool]], sa.ColumnElement[Any]]:
    """What the index that leads needs to be told, and its order."""
    is_whole = jobs.c.parent.is_(None)
    some_status = jobs.c.status.concat("").in_(_statuses)  # so that no index of them offers itself
    match walk:
        case Walk.LIVE:
            return [jobs.c.status.in_(sorted(LIVE)), some_status], jobs.c.deadline_at
        case Walk.OWN:
            return [is_whole, jobs.c.status == arg("wanted_status")], jobs.c.number.desc()
        case Walk.LABELLED:
            return [is_whole, some_status], _label.c.job.desc()
        case Walk.ENDED:
            since = jobs.c.finished_at >= arg("wanted_submitted_after", REAL)
            return [sa.func.coalesce(jobs.c.parent, -1) == -1, since, some_status], jobs.c.finished_at


def _has_label(n: int, walk: Walk) -> sa.ColumnElement[bool]:
    """The first is the row that is walked along, if labels lead; the others must be there beside it."""
    leads = walk is Walk.LABELLED and n == 0
    row = _label if leads else labels.alias(f"label_{n}")
    said = sa.and_(row.c.key == arg(f"label_key_{n}"), row.c.value == arg(f"label_value_{n}"))
    if leads:
        return sa.and_(row.c.user_id == arg("wanted_user"), said)
    there = sa.select(row.c.job).where(row.c.job == jobs.c.number, row.c.user_id == jobs.c.user_id, said).limit(1)
    return there.correlate(jobs).scalar_subquery().is_not(None)  # Postgres would join an EXISTS, and read all labels


@cache
def _select(walk: Walk, given: tuple[str, ...], labels_n: int) -> Query[Found]:
    by_label = walk is Walk.LABELLED
    leading, order = _led(walk, given)
    # The index of labels leads; told the user as well, SQLite would walk through all of their jobs instead.
    conditions = [_condition(name) for name in given if not (by_label and name == "user")]
    rows = _label.join(jobs, jobs.c.number == _label.c.job) if by_label else jobs
    return Query(
        sa.select(*_FOUND)
        .select_from(rows)
        .where(
            *leading,
            *conditions,
            *(_has_label(n, walk) for n in range(labels_n)),
            jobs.c.pruning_at.is_(None),
            *([jobs.c.kind != "batch"] if walk is Walk.LIVE and "kind" not in given else []),
        )
        .order_by(order)
        .limit(arg("at_most", INTEGER)),
        Found,
    )


@cache
def _still(given: tuple[str, ...]) -> Query[_Number]:
    """Labels never change."""
    conditions = [_condition(name) for name in given]
    is_there = sa.and_(jobs.c.number.in_(_numbers), jobs.c.pruning_at.is_(None))
    status = jobs.c.status.concat("").in_(_statuses)
    return Query(sa.select(jobs.c.number).where(is_there, status, *conditions), _Number)
