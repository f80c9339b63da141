"""The rows of assets. A row is added after its file is in storage, in the transaction that says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.store import tables
from safelight.store.statements import Change, insert_or_ignore
from safelight.store.tx import Tx

assets = tables.assets


class NewAsset(NamedTuple):
    """A file that is already in storage under `key`."""

    id: str
    call_id: str
    n: int
    key: str
    thumbnail_key: str | None
    mime: str
    size_bytes: int
    width: int | None
    height: int | None
    duration_s: float | None
    sha256: str
    ai_generated: bool


_COLUMNS = (
    "id",
    "job",
    "call",
    "n",
    "key",
    "thumbnail_key",
    "mime",
    "bytes",
    "width",
    "height",
    "duration_s",
    "sha256",
    "ai_generated",
    "recovered",
    "created_at",
)
_ADD = Change(sa.insert(assets), columns=_COLUMNS)
_ADD_NEW = Change(insert_or_ignore(assets, _COLUMNS), columns=_COLUMNS, match=("key",))


def add(tx: Tx, delivered: Sequence[tuple[int, NewAsset]]) -> None:
    """What jobs, by number, deliver to their users."""
    tx.many(_ADD, [_row(job, asset, tx.now, recovered=False) for job, asset in delivered])


def add_recovered(tx: Tx, found: Sequence[tuple[int, NewAsset]]) -> None:
    """What came too late for its job: the user does not see it unless the job is resumed. Known files are skipped."""
    tx.many(_ADD_NEW, [_row(job, asset, tx.now, recovered=True) for job, asset in found])


def _row(job: int, asset: NewAsset, now: float, *, recovered: bool) -> dict[str, object]:
    return {
        "id": asset.id,
        "job": job,
        "call": asset.call_id,
        "n": asset.n,
        "key": asset.key,
        "thumbnail_key": asset.thumbnail_key,
        "mime": asset.mime,
        "bytes": asset.size_bytes,
        "width": asset.width,
        "height": asset.height,
        "duration_s": asset.duration_s,
        "sha256": asset.sha256,
        "ai_generated": asset.ai_generated,
        "recovered": recovered,
        "created_at": now,
    }
