"""Fair shares: each user's jobs on a queue line up behind each other, so 500 of one cannot starve another's one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar

import sqlalchemy as sa

from safelight.services.sql import REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

tags, queues = tables.fair_tags, tables.queues


class Turn(Protocol):
    """A job as it takes part in its queue."""

    @property
    def id(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def share(self) -> float: ...


class Placed(Turn, Protocol):
    """A job that has its place on the fair clock."""

    @property
    def vstart(self) -> float: ...


P = TypeVar("P", bound=Placed)


class _TagRow(NamedTuple):
    tag: float


class _ClockRow(NamedTuple):
    clock: float


_OPEN = Change(insert_or_ignore(tags, ("queue", "user_id", "tag")), columns=("queue", "user_id", "tag"))
_clock = sa.func.coalesce(sa.select(queues.c.clock).where(queues.c.name == arg("line")).scalar_subquery(), 0.0)
_own = sa.and_(tags.c.queue == arg("line"), tags.c.user_id == arg("owner"))
_TAKE = Query(
    sa.update(tags)
    .where(_own)
    .values(tag=sa.case((tags.c.tag < _clock, _clock), else_=tags.c.tag) + arg("taken", REAL))
    .returning(tags.c.tag),
    _TagRow,
)
_CLOCK = Query(sa.select(queues.c.clock).where(queues.c.name == arg("line")), _ClockRow)
_TAG = Query(sa.select(tags.c.tag).where(_own), _TagRow)
_GIVE_BACK = Change(sa.update(tags).where(_own).values(tag=tags.c.tag - arg("taken", REAL)))


def take(tx: Tx, jobs: Sequence[Turn]) -> dict[str, float]:
    """Where each job starts on its queue's fair clock, by id. The tags of their users move on."""
    groups = _by_owner(jobs)
    taken = dict(zip(groups, tx.many(_TAKE, _sums(groups)), strict=True))
    if missing := {key: group for key, group in groups.items() if taken[key] is None}:
        tx.many(_OPEN, [{"queue": queue, "user_id": user, "tag": 0.0} for queue, user in missing])
        taken |= zip(missing, tx.many(_TAKE, _sums(missing)), strict=True)
    starts: dict[str, float] = {}
    for key, group in groups.items():
        end = row.tag if (row := taken[key]) else 0.0
        for job in reversed(group):
            end -= job.share
            starts[job.id] = end
    return starts


def next_start(tx: Tx, queue: str, user_id: str) -> float:
    """Where a job that its user submitted now would start. Takes nothing."""
    tag, clock = tx.one(_TAG, line=queue, owner=user_id), tx.one(_CLOCK, line=queue)
    return max(tag.tag if tag else 0.0, clock.clock if clock else 0.0)


def give_back(tx: Tx, jobs: Sequence[Turn]) -> None:
    """Jobs that never took their turn cost their users nothing."""
    tx.many(_GIVE_BACK, _sums(_by_owner(jobs)))


def missed(tx: Tx, jobs: Sequence[P]) -> list[P]:
    """Those whose turn has passed while they could not run. To save up such turns must be of no use to anybody."""
    lines = sorted({job.queue for job in jobs})
    rows = tx.many(_CLOCK, [{"line": line} for line in lines])
    clocks = {line: row.clock for line, row in zip(lines, rows, strict=True) if row}
    return [job for job in jobs if job.vstart < clocks.get(job.queue, 0.0)]


def _by_owner(jobs: Sequence[Turn]) -> dict[tuple[str, str], list[Turn]]:
    """By queue and user, in the order in which their tags are locked."""
    groups: dict[tuple[str, str], list[Turn]] = {}
    for job in jobs:
        groups.setdefault((job.queue, job.user_id), []).append(job)
    return dict(sorted(groups.items()))


def _sums(groups: dict[tuple[str, str], list[Turn]]) -> list[dict[str, object]]:
    return [
        {"line": queue, "owner": user, "taken": sum(job.share for job in group)}
        for (queue, user), group in groups.items()
    ]
