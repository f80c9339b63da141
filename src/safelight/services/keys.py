"""Idempotency keys: their rows come first in every transaction that makes a job, and they outlive it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.errors import IdempotencyMismatch
from safelight.services.sql import arg
from safelight.services.submission import Answer, Replayed, Submission
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

keys = tables.idempotency_keys


class _KeyRow(NamedTuple):
    request_hash: str
    job_id: str


_COLUMNS = ("user_id", "key", "request_hash", "job_id", "created_at")
_TAKE = Change(insert_or_ignore(keys, _COLUMNS), columns=_COLUMNS)
_own = sa.and_(keys.c.user_id == arg("owner"), keys.c.key == arg("given"))
_KEY = Query(sa.select(keys.c.request_hash, keys.c.job_id).where(_own), _KeyRow)
_GIVE_BACK = Change(sa.delete(keys).where(_own))


def take(tx: Tx, submissions: Sequence[Submission]) -> dict[str, Answer]:
    """Put each key's row; returns the answers of those that come second to a key, by the ids they would have had."""
    keyed = [s for s in submissions if s.key is not None]
    if not keyed:
        return {}
    now = tx.now
    tx.many(
        _TAKE,
        [
            {"user_id": s.user_id, "key": s.key, "request_hash": s.request_hash, "job_id": s.id, "created_at": now}
            for s in sorted(keyed, key=lambda s: (s.user_id, str(s.key)))
        ],
    )
    holders = tx.many(_KEY, [{"owner": s.user_id, "given": s.key} for s in keyed])
    return {
        s.id: _second(s, holder) for s, holder in zip(keyed, holders, strict=True) if holder and holder.job_id != s.id
    }


def answered_before(tx: Tx, s: Submission) -> Answer | None:
    """The answer to a submission whose key was given before; None for one that comes first."""
    holder = tx.one(_KEY, owner=s.user_id, given=s.key)
    return _second(s, holder) if holder else None


def stands_for(tx: Tx, user_id: str, key: str, request_hash: str, job_id: str) -> bool:
    """Whether a user's key was given for just this before."""
    return tx.one(_KEY, owner=user_id, given=key) == (request_hash, job_id)


def is_known(tx: Tx, user_id: str, key: str) -> bool:
    """Whether a user's key stands for something."""
    return tx.one(_KEY, owner=user_id, given=key) is not None


def job_of(tx: Tx, user_id: str, key: str) -> str | None:
    """The job that a user's key stands for."""
    row = tx.one(_KEY, owner=user_id, given=key)
    return None if row is None else row.job_id


def keep(tx: Tx, user_id: str, key: str, request_hash: str, job_id: str) -> None:
    """The key stands for something done to a job that was there; unless it stands for something already."""
    row = {"user_id": user_id, "key": key, "request_hash": request_hash, "job_id": job_id, "created_at": tx.now}
    tx.many(_TAKE, [row])


def give_back(tx: Tx, refused: Sequence[Submission]) -> None:
    """A refusal must not be remembered: the same request may be affordable later."""
    tx.many(_GIVE_BACK, [{"owner": s.user_id, "given": s.key} for s in refused if s.key is not None])


def _second(s: Submission, holder: _KeyRow) -> Answer:
    if holder.request_hash == s.request_hash:
        return Replayed(holder.job_id)
    return IdempotencyMismatch(key=str(s.key), job_id=holder.job_id)
