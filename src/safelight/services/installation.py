"""Facts shared by all processes of an installation, by name, such as its signing secret; and the queues that exist."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.sql import arg
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

installation, queues = tables.installation, tables.queues

SIGNING_SECRET = "signing_secret"  # noqa: S105  # the name of the row, not a secret


class _Fact(NamedTuple):
    value: str


_of_fact = installation.c.name == arg("fact")
_KEEP = Change(insert_or_ignore(installation, ("name", "value")), columns=("name", "value"))
_GET = Query(sa.select(installation.c.value).where(_of_fact), _Fact)
_SET = Change(sa.update(installation).where(_of_fact).values(value=arg("wanted")))
_REMOVE = Change(sa.delete(installation).where(_of_fact))
_OPEN_QUEUE = Change(insert_or_ignore(queues, ("name",)), columns=("name",))


def fact(tx: Tx, name: str) -> str | None:
    """What is known under a name; None if nothing is."""
    row = tx.one(_GET, fact=name)
    return row.value if row else None


def set_fact(tx: Tx, name: str, value: str) -> None:
    """Whatever was known before."""
    if not any(tx.many(_KEEP, [{"name": name, "value": value}])):
        tx.run(_SET, fact=name, wanted=value)


def remove_fact(tx: Tx, name: str) -> bool:
    """Whether it was known."""
    return tx.run(_REMOVE, fact=name) > 0


def shared_secret(tx: Tx, candidate: str) -> str:
    """The installation's signing secret; `candidate` becomes it if there is none yet."""
    tx.many(_KEEP, [{"name": SIGNING_SECRET, "value": candidate}])
    return fact(tx, SIGNING_SECRET) or candidate


def open_queues(tx: Tx, names: Iterable[str]) -> None:
    """Make the rows of the queues that the catalog's models use."""
    tx.many(_OPEN_QUEUE, [{"name": name} for name in sorted(set(names))])
