"""What browsers show in place of a key: a ticket, good once and for a minute, and a session, good until it ends.

Both are rows of one table, by hashes that cannot be taken for one another. Neither outlives the key behind it.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.access import hashed
from safelight.services.sql import NOW, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

tickets = tables.tickets

TICKET_LIVES_S = 60.0
SESSION_LIVES_S = 30 * 86_400.0


class Ticket(NamedTuple):
    """For whom it was made. `key_id` is None where local mode asked for no key."""

    user_id: str
    scopes: str
    key_id: str | None
    expires_at: float


_COLUMNS = ("hash", *Ticket._fields)
_MAKE = Change(sa.insert(tickets), columns=_COLUMNS)
_of = tickets.c.hash == arg("given")
_HELD = tuple(tickets.c[name] for name in Ticket._fields)
_TAKE = Query(sa.delete(tickets).where(_of, tickets.c.expires_at > NOW).returning(*_HELD), Ticket)
_LOOK = Query(sa.select(*_HELD).where(_of, tickets.c.expires_at > NOW), Ticket)
_END = Change(sa.delete(tickets).where(_of))
_FORGET = Change(sa.delete(tickets).where(tickets.c.expires_at <= NOW))


def ticket_hash(token: str) -> str:
    return hashed(f"ticket:{token}")


def session_hash(token: str) -> str:
    return hashed(f"session:{token}")


def put_ticket(tx: Tx, hash_: str, ticket: Ticket, lives_s: float) -> float:
    """Keep a ticket or a session until it expires, at the latest with `ticket.expires_at` if that is not 0.

    Returns when. Whatever has expired goes on the way: rows only come here, so this is enough to keep them few.
    """
    tx.run(_FORGET, at_now=tx.now)
    expires_at = min(tx.now + lives_s, ticket.expires_at or tx.now + lives_s)
    tx.many(_MAKE, [{"hash": hash_, **ticket._replace(expires_at=expires_at)._asdict()}])
    return expires_at


def take_ticket(tx: Tx, hash_: str) -> Ticket | None:
    """Use up a ticket: of any number who try, one gets it."""
    return tx.one(_TAKE, given=hash_, at_now=tx.now)


def unexpired(tx: Tx, hash_: str) -> Ticket | None:
    """A session that is open, or a ticket that can still be used; it stays."""
    return tx.one(_LOOK, given=hash_, at_now=tx.now)


def end_session(tx: Tx, hash_: str) -> bool:
    """Close a session; whether it was open."""
    return tx.run(_END, given=hash_) == 1
