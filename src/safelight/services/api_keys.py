"""API keys: made once, kept as hashes, never deleted. That one was ever made ends local mode for good."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.access import read_scopes, written_scopes
from safelight.services.sql import NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

keys = tables.api_keys

USED_EVERY_S = 60.0
"""`used_at` is no finer: writing it at every request would cost more than the requests."""


class ApiKey(NamedTuple):
    """A key without the key itself; `shown` has its first characters, `written` its scopes."""

    id: str
    user_id: str
    name: str
    written: str
    shown: str
    created_at: float
    expires_at: float | None
    revoked_at: float | None
    used_at: float | None

    @property
    def scopes(self) -> frozenset[str]:
        return read_scopes(self.written)

    def trouble(self, now: float) -> str | None:
        """Why it opens nothing; None while it does."""
        if self.revoked_at is not None:
            return "was revoked"
        return "has expired" if self.expires_at is not None and self.expires_at <= now else None


class NewKey(NamedTuple):
    """A key to be made; the caller has drawn it and shows it, once."""

    id: str
    hash: str
    user_id: str
    name: str
    scopes: frozenset[str]
    shown: str
    lives_s: float | None


class _Id(NamedTuple):
    id: str


_NAMES = ("id", "user_id", "name", "scopes", "shown", "created_at", "expires_at", "revoked_at", "used_at")
_SHOWN = tuple(keys.c[name] for name in _NAMES)
_COLUMNS = ("id", "hash", "user_id", "name", "scopes", "shown", "created_at", "expires_at")
_MAKE = Change(sa.insert(keys), columns=_COLUMNS)
_ALL = Query(sa.select(*_SHOWN).order_by(keys.c.id), ApiKey)
_BY_HASH = Query(sa.select(*_SHOWN).where(keys.c.hash == arg("given")), ApiKey)
_BY_ID = Query(sa.select(*_SHOWN).where(keys.c.id == arg("wanted")), ApiKey)
_ANY = Query(sa.select(keys.c.id).limit(1), _Id)
_REVOKE = Change(sa.update(keys).where(keys.c.id == arg("wanted"), keys.c.revoked_at.is_(None)).values(revoked_at=NOW))
_USE = Change(
    sa.update(keys)
    .where(keys.c.id == arg("wanted"), sa.or_(keys.c.used_at.is_(None), keys.c.used_at < arg("before", REAL)))
    .values(used_at=NOW)
)


def make_key(tx: Tx, new: NewKey) -> ApiKey:
    """Put its row."""
    row = {
        "id": new.id,
        "hash": new.hash,
        "user_id": new.user_id,
        "name": new.name,
        "scopes": written_scopes(new.scopes),
        "shown": new.shown,
        "created_at": tx.now,
        "expires_at": None if new.lives_s is None else tx.now + new.lives_s,
    }
    tx.many(_MAKE, [row])
    made = tx.one(_BY_ID, wanted=new.id)
    assert made is not None  # noqa: S101  # it was put a moment ago, in this transaction
    return made


def all_keys(tx: Tx) -> list[ApiKey]:
    """Every key that was ever made, the oldest first."""
    return tx.all(_ALL)


def key_by_hash(tx: Tx, given: str) -> tuple[ApiKey | None, float]:
    """The key, if there is one, and the moment at which it was looked up."""
    return tx.one(_BY_HASH, given=given), tx.now


def key_by_id(tx: Tx, key_id: str) -> tuple[ApiKey | None, float]:
    """The same by its id."""
    return tx.one(_BY_ID, wanted=key_id), tx.now


def any_was_made(tx: Tx) -> bool:
    """Whether there ever was a key, be it expired or revoked."""
    return tx.one(_ANY) is not None


def revoke_key(tx: Tx, key_id: str) -> bool:
    """It opens nothing from now on; whether it did until now."""
    return tx.run(_REVOKE, wanted=key_id, at_now=tx.now) == 1


def note_use(tx: Tx, key_id: str) -> None:
    """It was used; written down at most once a minute."""
    tx.run(_USE, wanted=key_id, before=tx.now - USED_EVERY_S, at_now=tx.now)
