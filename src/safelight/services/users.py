"""What the operator has said of single users: their tier, and how many of their jobs may run."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.services.sql import INTEGER, arg
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

users = tables.users


class User(NamedTuple):
    """None: as everybody's."""

    user_id: str
    tier: str | None
    running_cap: int | None


_COLUMNS = tuple(users.c[name] for name in User._fields)
_USER = Query(sa.select(*_COLUMNS).where(users.c.user_id == arg("whose")), User)
_PAGE = Query(
    sa.select(*_COLUMNS).where(users.c.user_id > arg("after")).order_by(users.c.user_id).limit(arg("at_most", INTEGER)),
    User,
)
_OPEN = Change(insert_or_ignore(users, ("user_id",)), columns=("user_id",))
_SET_TIER = Change(sa.update(users).where(users.c.user_id == arg("whose")).values(tier=arg("new_tier")))
_SET_CAP = Change(sa.update(users).where(users.c.user_id == arg("whose")).values(running_cap=arg("new_cap", INTEGER)))
_FORGET = Change(
    sa.delete(users).where(users.c.user_id == arg("whose"), users.c.tier.is_(None), users.c.running_cap.is_(None))
)


def user(tx: Tx, user_id: str) -> User:
    """One of whom nothing was said is as everybody."""
    return tx.one(_USER, whose=user_id) or User(user_id, None, None)


def users_after(tx: Tx, after: str, at_most: int) -> list[User]:
    """Those of whom something was said, by name."""
    return tx.all(_PAGE, after=after, at_most=at_most)


def set_user(tx: Tx, user_id: str, changes: dict[str, Any]) -> User:
    """Change `tier`, `running_cap` or both; None takes back what was said. Returns the user as it is then."""
    tx.many(_OPEN, [{"user_id": user_id}])
    if "tier" in changes:
        tx.run(_SET_TIER, whose=user_id, new_tier=changes["tier"])
    if "running_cap" in changes:
        tx.run(_SET_CAP, whose=user_id, new_cap=changes["running_cap"])
    found = user(tx, user_id)
    tx.run(_FORGET, whose=user_id)
    return found
