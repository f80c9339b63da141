"""The newest look at one job, shared by all who watch it in this process.

Everybody has a cursor of their own and pulls: nothing is buffered for anyone, so a slow watcher costs nobody anything
and finds, when it comes back, all that it has not seen.
"""

from __future__ import annotations

from dataclasses import replace

from safelight.events.log import News, news
from safelight.events.shared_look import SharedLook
from safelight.store.database import Database

KEPT = 64
"""So many stored events of a job stay in memory; who is further behind has them read for itself."""


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


def _as_seen_from(cursor: int, newest: News) -> News:
    if newest.brief.sequence <= cursor:
        return replace(newest, events=(), preview=None)
    return replace(newest, events=tuple(event for event in newest.events if event.sequence > cursor))
