"""Maintenance mode: no new jobs are taken, with a message that says why; those that are there are finished.

The operator's word is one row, which every process looks at once a second at most.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from safelight.domain.clock import local_s
from safelight.domain.errors import InMaintenance, Remedy
from safelight.services.installation import fact, remove_fact, set_fact
from safelight.store.database import Database
from safelight.store.tx import Tx

NAME = "maintenance"
KEEP_S = 1.0
RETRY_AFTER_S = 60
LONGEST_MESSAGE = 500
DEFAULT = "This installation is being maintained and takes no new jobs for a while."


@dataclass(frozen=True, slots=True)
class Notice:
    """What callers are told, and since when, in epoch seconds."""

    message: str
    since: float


def begin(tx: Tx, message: str) -> Notice:
    """From now on no new jobs are taken; also changes the message of one that has begun."""
    before = notice(tx)
    found = Notice(message, before.since if before else tx.now)
    set_fact(tx, NAME, json.dumps({"message": found.message, "since": found.since}))
    return found


def end(tx: Tx) -> bool:
    """Jobs are taken again; whether they were not."""
    return remove_fact(tx, NAME)


def notice(tx: Tx) -> Notice | None:
    """What callers are told; None while jobs are taken."""
    value = fact(tx, NAME)
    if value is None:
        return None
    said = json.loads(value)
    return Notice(str(said["message"]), float(said["since"]))


class ClosingTime:
    """Whether this process takes new jobs."""

    def __init__(self, database: Database, keep_s: float = KEEP_S) -> None:
        self._database, self._keep_s = database, keep_s
        self._notice: Notice | None = None
        self._read_at: float | None = None

    async def notice(self) -> Notice | None:
        """Raises Unavailable where the database cannot say."""
        if self._read_at is None or local_s() - self._read_at >= self._keep_s:
            self._notice = await self._database.read(notice)
            self._read_at = local_s()
        return self._notice

    async def refuse_new_jobs(self) -> None:
        """Raises InMaintenance while none are taken, Unavailable where the database cannot say."""
        found = await self.notice()
        if found is not None:
            raise InMaintenance(
                found.message,
                remedy=Remedy(
                    "Jobs that were accepted go on. Send this one again later, and its idempotency key with it."
                ),
                evidence={"maintenance": True, "retry_after_s": RETRY_AFTER_S},
            )
