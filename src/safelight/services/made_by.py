"""Which provider made what a job delivered, and under which name: for doors whose clients ask for that."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.sql import arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

calls, jobs = tables.calls, tables.jobs


class MadeBy(NamedTuple):
    """One provider call that succeeded."""

    provider: str
    name: str
    """What the provider calls it; the call's own id where it never named it, as those on this machine do not."""


_LAST = Query(
    sa.select(calls.c.provider, sa.func.coalesce(calls.c.remote_id, calls.c.id).label("name"))
    .join_from(jobs, calls, calls.c.job == jobs.c.number)
    .where(jobs.c.id == arg("public_id"), calls.c.state == "succeeded")
    .order_by(calls.c.number.desc())
    .limit(1),
    MadeBy,
)


def made_by(tx: Tx, job_id: str) -> MadeBy | None:
    """The last call of a job that succeeded, if there is one."""
    return tx.one(_LAST, public_id=job_id)
