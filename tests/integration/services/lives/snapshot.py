"""All rows at one moment, read with one query per table: the machine looks after every step."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LAST_EVENTS
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx
from tests.integration.services.scene import CallRow, all_jobs

events, ledger, calls = tables.events, tables.ledger, tables.calls


class _Said(NamedTuple):
    job: int
    what: str


_CALLS = Query(sa.select(*calls.c).order_by(calls.c.number), CallRow)
_ENDINGS = Query(sa.select(events.c.job, events.c.type).where(events.c.type.in_(sorted(LAST_EVENTS))), _Said)
_SETTLEMENTS = Query(
    sa.select(ledger.c.job, ledger.c.kind).where(ledger.c.kind.in_(["capture", "release"]), ledger.c.job.is_not(None)),
    _Said,
)


class Snapshot:
    def __init__(self, tx: Tx) -> None:
        self.jobs = all_jobs(tx)
        self._calls: dict[int, list[Any]] = defaultdict(list)
        for call in tx.all(_CALLS):
            self._calls[call.job].append(call)
        self._endings, self._settlements = _by_job(tx.all(_ENDINGS)), _by_job(tx.all(_SETTLEMENTS))

    def calls_of(self, row: Any) -> list[Any]:
        return self._calls[row.number]

    def endings_of(self, row: Any) -> list[str]:
        """The terminal events of a job."""
        return [what.removeprefix("job.") for what in self._endings[row.number]]

    def settlements_of(self, row: Any) -> list[str]:
        return self._settlements[row.number]


def _by_job(said: list[_Said]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for job, what in said:
        found[job].append(what)
    return found
