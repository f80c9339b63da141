"""Pages of jobs: a user's list, newest first, and the items of a batch in the order in which they were asked for.

Doors whose things are jobs with certain labels list them with `job_page(tx, PageRequest(user_id, limit, labels=...))`,
or by the desk: `await desk.jobs(PageRequest(...))`.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LIVE
from safelight.services.read_jobs import JOB, JobDetails, JobRow, with_belongings
from safelight.services.sql import INTEGER, arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, labels = tables.jobs, tables.labels

FILTERS = ("status", "kind", "model")
FIRST_PAGE = 2**62
"""A number no job has: the cursor of the first page."""
OUT_OF_ORDER_S = 60.0
"""Numbers grow with `created_at`, but for transactions that overlapped. None of those lasted longer."""


class PageRequest(NamedTuple):
    """One page of a user's jobs, newest first. Empty strings mean: any."""

    user_id: str
    limit: int
    before: int = FIRST_PAGE
    status: str = ""
    kind: str = ""
    model: str = ""
    since: float = 0.0
    parent: str = ""
    """The id of a batch: its items, which are in no other list."""
    labels: tuple[tuple[str, str], ...] = ()
    """Pairs of key and value that a job must have, all of them. The first leads the walk: name the rarest first."""


class ItemsRequest(NamedTuple):
    """One page of a batch's items, in order."""

    user_id: str
    batch: str
    limit: int
    after: int = 0
    status: str = ""


class _Number(NamedTuple):
    number: int


class _Count(NamedTuple):
    n: int


_parent = jobs.alias("batch_row")
_batch = sa.select(_parent.c.number).where(
    _parent.c.id == arg("batch"), _parent.c.user_id == arg("owner"), _parent.c.pruning_at.is_(None)
)
_BATCH = Query(_batch, _Number)


def job_page(tx: Tx, page: PageRequest) -> tuple[list[JobDetails], int | None]:
    """The jobs, and the number to continue before, if there are more.

    `since` is no condition of the statement: it ends the walk, which would go on to the user's first job otherwise.
    """
    given = {name: value for name in FILTERS if (value := getattr(page, name))}
    wanted = {f"wanted_{name}": value for name, value in given.items()}
    if page.parent:
        wanted["batch"] = page.parent
    for n, (key, value) in enumerate(page.labels):
        wanted |= {f"label_key_{n}": key, f"label_value_{n}": value}
    query = _page(tuple(given), of_batch=bool(page.parent), labels_n=len(page.labels))
    rows = tx.all(query, owner=page.user_id, before=page.before, page_size=page.limit + 1, **wanted)
    shown = rows[: page.limit]
    goes_on = len(rows) > page.limit and shown[-1].created_at >= page.since - OUT_OF_ORDER_S
    more = shown[-1].number if goes_on else None
    return with_belongings(tx, [row for row in shown if row.created_at >= page.since]), more


def item_page(tx: Tx, page: ItemsRequest) -> tuple[list[JobDetails], int | None] | None:
    """The items, and the number to continue after, if there are more; None if the user has no such job."""
    batch = tx.one(_BATCH, batch=page.batch, owner=page.user_id)
    if batch is None:
        return None
    wanted = {"wanted_status": page.status} if page.status else {}
    query = _items(with_status=bool(page.status))
    rows = tx.all(query, of_batch=batch.number, after=page.after, page_size=page.limit + 1, **wanted)
    shown = rows[: page.limit]
    return with_belongings(tx, shown), shown[-1].number if len(rows) > page.limit else None


def labelled(tx: Tx, user_id: str, key: str, value: str, *, live: bool = False) -> int:
    """How many jobs of a user have this label, items of batches left out; with `live`, of those that have not ended."""
    return tx.all(_count(live=live), owner=user_id, label_key_0=key, label_value_0=value)[0].n


@cache
def _page(filters: tuple[str, ...], *, of_batch: bool, labels_n: int = 0) -> Query[JobRow]:
    """A statement for each set of filters: one for all sets, with conditions that may be off, would use no index."""
    rows, number = (_labelled, _label.c.job) if labels_n else (jobs, jobs.c.number)
    return Query(
        sa.select(*JOB)
        .select_from(rows)
        .where(
            *(_has_label(n) for n in range(labels_n)),
            # The index of labels leads; told the user as well, SQLite would walk through all of their jobs instead.
            *(() if labels_n else (jobs.c.user_id == arg("owner"),)),
            jobs.c.parent == _batch.scalar_subquery() if of_batch else jobs.c.parent.is_(None),
            jobs.c.pruning_at.is_(None),
            number < arg("before", INTEGER),
            *(jobs.c[name] == arg(f"wanted_{name}") for name in filters),
        )
        .order_by(number.desc())
        .limit(arg("page_size", INTEGER)),
        JobRow,
    )


_label = labels.alias("label")
_labelled = _label.join(jobs, jobs.c.number == _label.c.job)


def _has_label(n: int) -> sa.ColumnElement[bool]:
    """The first is the row that is walked along; the others must be there beside it."""
    row = labels.alias(f"label_{n}") if n else _label
    wanted = sa.and_(
        row.c.user_id == arg("owner"), row.c.key == arg(f"label_key_{n}"), row.c.value == arg(f"label_value_{n}")
    )
    return sa.exists().where(wanted, row.c.job == _label.c.job).correlate(_label) if n else wanted


@cache
def _count(*, live: bool) -> Query[_Count]:
    status = [jobs.c.status.in_(sorted(LIVE))] if live else []
    there = (_has_label(0), jobs.c.parent.is_(None), jobs.c.pruning_at.is_(None))
    return Query(sa.select(sa.func.count()).select_from(_labelled).where(*there, *status), _Count)


@cache
def _items(*, with_status: bool) -> Query[JobRow]:
    status = [jobs.c.status == arg("wanted_status")] if with_status else []
    return Query(
        sa.select(*JOB)
        .where(jobs.c.parent == arg("of_batch", INTEGER), jobs.c.number > arg("after", INTEGER), *status)
        .order_by(jobs.c.number)
        .limit(arg("page_size", INTEGER)),
        JobRow,
    )
