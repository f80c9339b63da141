"""Tell which stored files belong to nobody: no row names them, and no live job may still come to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LIVE
from safelight.services import uploads
from safelight.storage.keys import is_upload_key, job_of, possible_originals
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, assets = tables.jobs, tables.assets


class _Id(NamedTuple):
    id: str


class _Named(NamedTuple):
    key: str
    thumbnail_key: str | None


_LIVE = Query(
    sa.select(jobs.c.id).where(jobs.c.id.in_(sa.bindparam("job_ids", expanding=True)), jobs.c.status.in_(sorted(LIVE))),
    _Id,
)
_NAMED = Query(
    sa.select(assets.c.key, assets.c.thumbnail_key).where(
        assets.c.key.in_(sa.bindparam("keys", expanding=True)),
        assets.c.job.not_in(sa.bindparam("numbers", expanding=True)),
    ),
    _Named,
)


def unclaimed(tx: Tx, keys: Sequence[str]) -> list[str]:
    """Those of the keys that are names of ours and belong to nobody.

    Of a job's files: that no asset names, and whose job is not live (or not even known). Of pictures that users
    brought: that no row names, though each has one before it is stored: a restored database may not know it.
    """
    job_ids = {key: job_id for key in keys if (job_id := job_of(key))}
    live = {row.id for row in tx.all(_LIVE, job_ids=sorted(set(job_ids.values())))}
    known = named(tx, job_ids)
    of_jobs = [key for key, job_id in job_ids.items() if key not in known and job_id not in live]
    return of_jobs + uploads.of_no_upload(tx, [key for key in keys if is_upload_key(key)])


def named(tx: Tx, keys: Iterable[str], *, but_not_of: Sequence[int] = ()) -> set[str]:
    """What assets name of these keys, those `but_not_of` some jobs. Thumbnails are found through their originals."""
    looked_for = sorted({original for key in keys for original in (key, *possible_originals(key))})
    found = tx.all(_NAMED, keys=looked_for, numbers=list(but_not_of))
    return {key for row in found for key in row if key}
