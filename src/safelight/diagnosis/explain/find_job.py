"""Find the job that something means: its id, a file of it, its call at a provider, the key it was submitted under."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import sqlalchemy as sa

from safelight.domain.ids import is_id
from safelight.services.sql import arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, assets, calls = tables.jobs, tables.assets, tables.calls
keys, accounts, deliveries = tables.idempotency_keys, tables.accounts, tables.deliveries

_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _Found(NamedTuple):
    id: str


def _of_job(source: sa.FromClause, number: sa.ColumnElement[int], is_it: sa.ColumnElement[bool]) -> Query[_Found]:
    return Query(sa.select(jobs.c.id).join_from(source, jobs, jobs.c.number == number).where(is_it).limit(1), _Found)


_JOB = Query(sa.select(jobs.c.id).where(jobs.c.id == arg("wanted")), _Found)
_ASSET = _of_job(assets, assets.c.job, assets.c.id == arg("wanted"))
_CALL = _of_job(calls, calls.c.job, calls.c.id == arg("wanted"))
_REMOTE = _of_job(calls, calls.c.job, calls.c.remote_id == arg("wanted"))
_DELIVERY = _of_job(deliveries, deliveries.c.job, deliveries.c.id == arg("wanted"))
_KEY = Query(
    sa.select(keys.c.job_id)
    .join_from(accounts, keys, sa.and_(keys.c.user_id == accounts.c.user_id, keys.c.key == arg("wanted")))
    .limit(1),
    _Found,
)
"""By user and key: that is the index."""


def find_job(tx: Tx, text: str) -> str | None:
    """The id of the job; None if nothing here is called so. Of an address the ids in it count."""
    wanted = text.strip()
    for id in _ID.findall(wanted.lower()):
        if is_id(id) and (found := _first(tx, id, (_JOB, _ASSET, _CALL))):
            return found
    return _first(tx, wanted, (_REMOTE, _DELIVERY, _KEY))


def _first(tx: Tx, wanted: str, queries: tuple[Query[_Found], ...]) -> str | None:
    return next((row.id for query in queries if (row := tx.one(query, wanted=wanted))), None)
