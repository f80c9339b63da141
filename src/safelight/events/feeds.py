"""The feeds of the jobs that are watched in this process, and the rounds that make up for lost wake-ups.

Watchers wait for the bells of the hub, each for its own: on a busy database it would be far too dear for thousands to
look whenever anything has changed. What a lost bell would have told is found by one look at all that is watched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, TypeVar

import sqlalchemy as sa
import structlog

from safelight.domain.errors import SafelightError
from safelight.events.feed import Feed
from safelight.events.hub import Hub
from safelight.events.own_jobs import OwnJobs, Standing, standings
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Query
from safelight.store.tx import Tx

W = TypeVar("W", Feed, OwnJobs)
log = structlog.get_logger(__name__)

ROUND_S = 1.0
"""How long a lost wake-up can delay news."""
BETWEEN_ROUNDS_S = 0.2
"""A round also begins when it is known that something has changed, but not what; so long after the one before."""
SLICE = 500


class Feeds:
    """The feeds of one process, as long as somebody watches them."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database, self.hub = database, hub
        self._feeds: dict[str, Feed] = {}
        self._users: dict[str, OwnJobs] = {}
        self._rounds: asyncio.Task[None] | None = None

    def watching(self, job_id: str) -> AbstractContextManager[Feed]:
        """The job's feed, while the block lasts."""
        return self._kept(self._feeds, job_id, Feed)

    def jobs_of(self, user_id: str) -> AbstractContextManager[OwnJobs]:
        """Which jobs of a user live or have just ended, while the block lasts."""
        return self._kept(self._users, user_id, OwnJobs)

    @contextmanager
    def _kept(self, among: dict[str, W], name: str, make: Callable[[Database, str], W]) -> Iterator[W]:
        """One for all who watch it, from the first of them to the last."""
        kept = among.get(name) or among.setdefault(name, make(self._database, name))
        kept.watchers += 1
        self._begin_rounds()
        try:
            yield kept
        finally:
            kept.watchers -= 1
            if not kept.watchers:
                del among[name]
            self._end_rounds()

    def _begin_rounds(self) -> None:
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._go_round())

    def _end_rounds(self) -> None:
        if not self._feeds and not self._users and self._rounds is not None:
            self._rounds.cancel()
            self._rounds = None

    async def _go_round(self) -> None:
        with self.hub.waiting() as waiter:
            while True:
                await asyncio.sleep(min(BETWEEN_ROUNDS_S, ROUND_S))
                await waiter.wait(ROUND_S)
                waiter.clear()
                try:
                    self.hub.wake([f"job:{job_id}" for job_id in await self._moved()])
                    self.hub.wake([f"user:{user_id}" for user_id in await self._busy_users()])
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

    async def _busy_users(self) -> list[str]:
        """The watched users whose unfinished jobs are not what they were at the last round."""
        watched = list(self._users)
        there: dict[str, Standing] = {}
        for n in range(0, len(watched), SLICE):
            found = await self._database.read(standings, watched[n : n + SLICE])
            there |= {row.user_id: row for row in found}
        busy = []
        for user_id in watched:
            own = self._users.get(user_id)
            if own is not None and own.standing != there.get(user_id):
                own.standing = there.get(user_id)
                busy.append(user_id)
        return busy


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
