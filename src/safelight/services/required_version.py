"""The oldest release whose workers may run jobs, a fact of the installation that an operator sets."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.sql import arg
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

installation = tables.installation

MIN_WORKER_VERSION = "min_worker_version"


class _Fact(NamedTuple):
    value: str


_mine = installation.c.name == arg("fact")
_GET = Query(sa.select(installation.c.value).where(_mine), _Fact)
_MAKE = Change(insert_or_ignore(installation, ("name", "value")), columns=("name", "value"))
_SET = Change(sa.update(installation).where(_mine).values(value=arg("wanted")))


def required_version(tx: Tx) -> str | None:
    """The release that workers must have at least; None if any will do."""
    row = tx.one(_GET, fact=MIN_WORKER_VERSION)
    return row.value if row else None


def require_version(tx: Tx, version: str) -> None:
    """From now on older workers drain and end, and none can start."""
    if not any(tx.many(_MAKE, [{"name": MIN_WORKER_VERSION, "value": version}])):
        tx.run(_SET, fact=MIN_WORKER_VERSION, wanted=version)
