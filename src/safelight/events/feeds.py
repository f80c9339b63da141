"""What the newest look at each watched job has found, shared by all who watch it in this process.

Everybody has a cursor of their own and pulls: nothing is buffered for anyone, so a slow watcher costs nobody anything
and finds, when it comes back, all that it has not seen. Watchers wait for the bells of the hub; what a lost one would
have told is found by a round over all watched jobs at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import sqlalchemy as sa
import structlog

from safelight.domain.errors import SafelightError
from safelight.events.hub import Hub
from safelight.events.log import News, news
from safelight.events.own_jobs import OwnJobs
from safelight.events.shared_look import SharedLook
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Query
from safelight.store.tx import Tx

log = structlog.get_logger(__name__)

ROUND_S = 1.0
"""How long a lost wake-up can delay news."""
KEPT = 64
"""So many stored events of a job stay in memory; who is further behind has them read for itself."""
SLICE = 500


class Feed:
    """The newest look at one job. For the event loop only."""

    def __init__(self, database: Database, job_id: str) -> None:
        self._database, self._job_id = database, job_id
        self._newest: News | None = None
        self._since = 0
        """The events of `_newest` are all there are after this sequence."""
        self._shared = SharedLook(self._look)
        self.watchers = 0

    @property
    def sequence(self) -> int:
        """Of the newest look; below any if there was none."""
        return -1 if self._newest is None else self._newest.brief.sequence

    async def news(self, cursor: int, at_least: int | None = None) -> News | None:
        """What is new to somebody at `cursor`; None if there is no such job.

        By a look that begins now, unless one has already come to the sequence `at_least`.
        """
        if self._newest is None or cursor < self._since:
            self._keep(await self._database.read(news, self._job_id, cursor), cursor)
        elif at_least is None or self.sequence < at_least:
            await self._shared.take()
        return None if self._newest is None else _as_seen_from(cursor, self._newest)

    async def _look(self) -> None:
        known = self._newest
        since = known.brief.sequence if known else self._since
        found = await self._database.read(news, self._job_id, since)
        if found is None or known is None or self._newest is not known:
            self._keep(found, since)
        elif found.brief.sequence > since:
            self._keep(replace(found, events=(*known.events, *found.events)), self._since)

    def _keep(self, found: News | None, since: int) -> None:
        if found is not None and self._newest is not None and found.brief.sequence < self._newest.brief.sequence:
            return  # somebody else's look was later
        if found is not None and len(found.events) > KEPT:
            since = found.events[-KEPT - 1].sequence
            found = replace(found, events=found.events[-KEPT:])
        self._newest, self._since = found, since


class Feeds:
    """The feeds of one process, as long as somebody watches them."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database, self.hub = database, hub
        self._feeds: dict[str, Feed] = {}
        self._users: dict[str, OwnJobs] = {}
        self._rounds: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self, job_id: str) -> Iterator[Feed]:
        """The job's feed, while the block lasts."""
        feed = self._feeds.setdefault(job_id, Feed(self._database, job_id))
        feed.watchers += 1
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._go_round())
        try:
            yield feed
        finally:
            feed.watchers -= 1
            if not feed.watchers:
                del self._feeds[job_id]
            if not self._feeds and self._rounds is not None:
                self._rounds.cancel()
                self._rounds = None

    @contextmanager
    def jobs_of(self, user_id: str) -> Iterator[OwnJobs]:
        """Which jobs of a user live or have just ended, while the block lasts."""
        own = self._users.setdefault(user_id, OwnJobs(self._database, user_id))
        own.watchers += 1
        try:
            yield own
        finally:
            own.watchers -= 1
            if not own.watchers:
                del self._users[user_id]

    async def _go_round(self) -> None:
        while True:
            await asyncio.sleep(ROUND_S)
            try:
                self.hub.wake([f"job:{job_id}" for job_id in await self._moved()])
            except (OSError, SafelightError) as error:  # the edge of the loop: the database may be away
                log.debug("round_failed", error=str(error))

    async def _moved(self) -> list[str]:
        """The watched jobs that are further than the last look at them, or gone."""
        watched = list(self._feeds)
        there: dict[str, int] = {}
        for n in range(0, len(watched), SLICE):
            found = await self._database.read(sequences, watched[n : n + SLICE])
            there |= {row.id: row.sequence for row in found}
        return [name for name in watched if (feed := self._feeds.get(name)) and there.get(name) != feed.sequence]


class _Sequence(NamedTuple):
    id: str
    sequence: int


_SEQUENCES = Query(
    sa.select(tables.jobs.c.id, tables.jobs.c.sequence).where(
        tables.jobs.c.id.in_(sa.bindparam("names", expanding=True)), tables.jobs.c.pruning_at.is_(None)
    ),
    _Sequence,
)


def sequences(tx: Tx, job_ids: Sequence[str]) -> list[_Sequence]:
    """How far each of these jobs is; those that are gone are left out."""
    return tx.all(_SEQUENCES, names=list(job_ids))


def _as_seen_from(cursor: int, newest: News) -> News:
    if newest.brief.sequence <= cursor:
        return replace(newest, events=(), preview=None)
    return replace(newest, events=tuple(event for event in newest.events if event.sequence > cursor))
