"""What may be done about a call of which nobody knows whether the provider accepted it. Both need the job's lease.

Not finding a call is never proof that it was not made; so a second one is the operator's decision, not ours.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.moves import LEASE_HOLDS
from safelight.services.sql import INTEGER, NOW, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs, calls = tables.jobs, tables.calls


class _Held(NamedTuple):
    number: int


_LEASE = Query(sa.select(jobs.c.number).where(LEASE_HOLDS).with_for_update(), _Held)
_given_up = calls.alias("given_up")
_gave_up_before = sa.exists().where(_given_up.c.job == arg("job", INTEGER), _given_up.c.given_up_at.is_not(None))
_is_unknown = sa.and_(calls.c.id == arg("call_id"), calls.c.state == "unknown", calls.c.given_up_at.is_(None))
_GIVE_UP = Change(sa.update(calls).where(_is_unknown, sa.not_(_gave_up_before)).values(given_up_at=NOW, check_at=NOW))
_is_sent_by_us = sa.and_(calls.c.id == arg("call_id"), calls.c.state == "sending", calls.c.worker_id == arg("sender"))
_SEND_AGAIN = Change(
    sa.update(calls)
    .where(sa.or_(_is_unknown, _is_sent_by_us))
    .values(state=sa.literal("sending"), worker_id=arg("sender"))
)
_IS_GIVEN_UP = Query(
    sa.select(calls.c.number).where(calls.c.id == arg("call_id"), calls.c.given_up_at.is_not(None)), _Held
)


def give_up_on(tx: Tx, job: int, fence: int, call_id: str) -> bool:
    """Policy `retry_once`: another call may be made beside this unknown one; once per job.

    Running it twice (a commit whose outcome was lost) answers the same.
    """
    if tx.one(_LEASE, job=job, held_fence=fence) is None:
        return False
    changed = tx.run(_GIVE_UP, call_id=call_id, job=job, at_now=tx.now) == 1
    return changed or tx.one(_IS_GIVEN_UP, call_id=call_id) is not None


def send_again(tx: Tx, job: int, fence: int, call_id: str, worker_id: str) -> bool:
    """The call goes out once more under its own id, to a provider that makes each id only once.

    Running it twice (a commit whose outcome was lost) answers the same.
    """
    held = tx.one(_LEASE, job=job, held_fence=fence)
    return held is not None and tx.run(_SEND_AGAIN, call_id=call_id, sender=worker_id) == 1
