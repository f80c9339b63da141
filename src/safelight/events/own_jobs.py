"""Which jobs of one user are unfinished or have just ended, and how far each is: the contents page of their news.

Items of a batch are left out, as in every list: their batch counts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LIVE
from safelight.events.feed import Feed
from safelight.events.shared_look import SharedLook
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs = tables.jobs

JUST_ENDED_S = 600.0
OVERLAP_S = 5.0
"""Later looks go back so far behind the one before: commits of that time may not have been seen by it."""
OUT_OF_STEP_S = 10.0
"""So much further back go looks that are shared: a watcher that was slower than that looks for itself."""


class OwnJob(NamedTuple):
    number: int
    id: str
    sequence: int


class Standing(NamedTuple):
    """By which it is seen whether anything has happened to the unfinished jobs of a user."""

    user_id: str
    jobs: int
    sequences: int
    newest: int


class Look(NamedTuple):
    """The jobs that were unfinished `at` a moment, and those that had ended after `since`, oldest first."""

    found: list[OwnJob]
    since: float
    at: float


_COLUMNS = tuple(jobs.c[name] for name in OwnJob._fields)
_mine = sa.and_(
    jobs.c.user_id == sa.bindparam("owner", type_=sa.Text), jobs.c.parent.is_(None), jobs.c.pruning_at.is_(None)
)
_UNFINISHED = Query(sa.select(*_COLUMNS).where(_mine, jobs.c.status.in_(sorted(LIVE))), OwnJob)
_ENDED = Query(
    sa.select(*_COLUMNS).where(_mine, jobs.c.finished_at > sa.bindparam("since", type_=sa.Float(53))), OwnJob
)


_STANDINGS = Query(
    sa.select(
        jobs.c.user_id,
        sa.func.count().label("jobs"),
        sa.cast(sa.func.sum(jobs.c.sequence), sa.BigInteger).label("sequences"),
        sa.func.max(jobs.c.number).label("newest"),
    )
    .where(
        jobs.c.user_id.in_(sa.bindparam("owners", expanding=True)),
        jobs.c.parent.is_(None),
        jobs.c.status.in_(sorted(LIVE)),
    )
    .group_by(jobs.c.user_id),
    Standing,
)


class OwnJobs:
    """The newest look at one user's jobs, shared by all of that user's watchers in this process."""

    def __init__(self, database: Database, user_id: str) -> None:
        self._database, self._user_id = database, user_id
        self._newest: Look | None = None
        self._feeds: dict[str, Feed] = {}
        self._shared = SharedLook(self._look)
        self.watchers = 0
        self.standing: Standing | None = None
        """At the last round of those who make up for lost wake-ups."""

    async def beginning(self) -> Look:
        """The unfinished and those that ended within the last ten minutes: where a watcher begins."""
        return await self._database.read(look, self._user_id, None)

    async def after(self, before: Look) -> Look:
        """The unfinished, and at least those that ended after the look `before`; by a look that begins now."""
        await self._shared.take()
        since = before.at - OVERLAP_S
        if self._newest is not None and self._newest.since <= since:
            return self._newest
        return await self._database.read(look, self._user_id, since)  # it was away while the others went on

    def feed(self, job_id: str) -> Feed:
        """Of one of these jobs. No bell rings for it: `after` tells which have moved."""
        return self._feeds.setdefault(job_id, Feed(self._database, job_id))

    async def _look(self) -> None:
        since = None if self._newest is None else self._newest.at - OVERLAP_S - OUT_OF_STEP_S
        self._newest = await self._database.read(look, self._user_id, since)
        there = {job.id for job in self._newest.found}
        self._feeds = {name: feed for name, feed in self._feeds.items() if name in there}


def standings(tx: Tx, user_ids: Sequence[str]) -> list[Standing]:
    """Of those of these users who have unfinished jobs."""
    return tx.all(_STANDINGS, owners=list(user_ids))


def look(tx: Tx, user_id: str, since: float | None) -> Look:
    """The jobs that live, and those that ended after `since`, or within the last ten minutes."""
    since = tx.now - JUST_ENDED_S if since is None else since
    rows = tx.all(_UNFINISHED, owner=user_id) + tx.all(_ENDED, owner=user_id, since=since)
    return Look(sorted(set(rows)), since, tx.now)
