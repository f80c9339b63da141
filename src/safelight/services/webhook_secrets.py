"""What signs the webhooks to a user: one secret each, made when it is first needed, and for a day the one before it."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.sql import NOW, arg
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

secrets = tables.webhook_secrets

BOTH_SIGN_S = 24 * 3600.0


class Secrets(NamedTuple):
    """`previous` is empty once it no longer signs; `until` is when that will be."""

    secret: str
    previous: str | None
    until: float | None

    @property
    def all(self) -> list[str]:
        """Those that sign now, the newest first."""
        return [self.secret, *([self.previous] if self.previous else [])]


class _Row(NamedTuple):
    secret: str
    previous: str | None
    rotated_at: float | None


_GET = Query(sa.select(*(secrets.c[name] for name in _Row._fields)).where(secrets.c.user_id == arg("whose")), _Row)
_MAKE = Change(insert_or_ignore(secrets, ("user_id", "secret")), columns=("user_id", "secret"))
_ROTATE = Change(
    sa.update(secrets)
    .where(secrets.c.user_id == arg("whose"))
    .values(previous=secrets.c.secret, secret=arg("candidate"), rotated_at=NOW)
)


def known(tx: Tx, user_id: str) -> Secrets | None:
    """The user's secrets, if there are any."""
    row = tx.one(_GET, whose=user_id)
    if row is None:
        return None
    until = None if row.rotated_at is None else row.rotated_at + BOTH_SIGN_S
    if row.previous is None or until is None or until <= tx.now:
        return Secrets(row.secret, None, None)
    return Secrets(row.secret, row.previous, until)


def ensure_secret(tx: Tx, user_id: str, candidate: str) -> Secrets:
    """The user's secrets; `candidate` becomes the first one if there is none."""
    tx.many(_MAKE, [{"user_id": user_id, "secret": candidate}])
    return known(tx, user_id) or Secrets(candidate, None, None)


def rotate_secret(tx: Tx, user_id: str, candidate: str) -> Secrets:
    """Sign with `candidate` from now on, and for a day with the secret of before too."""
    ensure_secret(tx, user_id, candidate)
    row = tx.one(_GET, whose=user_id)
    if row is not None and row.secret != candidate:
        tx.run(_ROTATE, whose=user_id, candidate=candidate, at_now=tx.now)
    return known(tx, user_id) or Secrets(candidate, None, None)
