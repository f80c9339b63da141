"""Facts shared by all processes of an installation: the secret that signs asset URLs, the queues that exist."""

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


_KEEP = Change(insert_or_ignore(installation, ("name", "value")), columns=("name", "value"))
_GET = Query(sa.select(installation.c.value).where(installation.c.name == arg("wanted")), _Fact)
_OPEN_QUEUE = Change(insert_or_ignore(queues, ("name",)), columns=("name",))


def shared_secret(tx: Tx, candidate: str) -> str:
    """The installation's signing secret; `candidate` becomes it if there is none yet."""
    tx.many(_KEEP, [{"name": SIGNING_SECRET, "value": candidate}])
    row = tx.one(_GET, wanted=SIGNING_SECRET)
    return row.value if row else candidate


def open_queues(tx: Tx, names: Iterable[str]) -> None:
    """Make the rows of the queues that the catalog's models use."""
    tx.many(_OPEN_QUEUE, [{"name": name} for name in sorted(set(names))])
