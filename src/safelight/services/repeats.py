"""Requests that a client sends once more by itself, without a key: they join the job that the first of them made.

Clients of OpenAI count how often they have sent a request (`x-stainless-retry-count`) and send no idempotency key. A
repeat is joined to the same user's newest job that was asked for in the same words; a first request that never became
a job is simply made. It runs inside the transaction of `submit`, and costs those nothing that repeat nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.sql import REAL, arg
from safelight.services.submission import Answer, Replayed, Submission
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs = tables.jobs

SAME_FOR_S = 1_200.0
"""For so long a job stands for repeats of its request. The official clients give up an answer after 10 minutes, and
repeat it within seconds."""


class _Made(NamedTuple):
    id: str


_NEWEST = Query(
    sa.select(jobs.c.id)
    .where(
        jobs.c.user_id == arg("owner"),
        jobs.c.request_hash == arg("asked"),
        jobs.c.created_at > arg("since", REAL),
        jobs.c.pruning_at.is_(None),
    )
    .order_by(jobs.c.number.desc())
    .limit(1),
    _Made,
)


def join(tx: Tx, submissions: Sequence[Submission]) -> dict[str, Answer]:
    """The answers of those that repeat a request, by the ids they would have had; who comes first is not among them.

    Call it with their accounts locked: of two processes that hear the same, the second then sees the job of the first.
    """
    repeats = [s for s in submissions if s.sent_before and s.key is None]
    if not repeats:
        return {}
    since = tx.now - SAME_FOR_S
    found = tx.many(_NEWEST, [{"owner": s.user_id, "asked": s.request_hash, "since": since} for s in repeats])
    made = {_asked(s): job.id for s, job in zip(repeats, found, strict=True) if job}
    together = _first_of_each(submissions)
    for asked, first in together.items():
        if not first.sent_before or asked not in made:
            made[asked] = first.id  # newer than what is there, or the first that is made at all
    return {s.id: Replayed(made[_asked(s)]) for s in repeats if made[_asked(s)] != s.id}


def _first_of_each(submissions: Sequence[Submission]) -> dict[tuple[str, str], Submission]:
    """Of requests that share a transaction: the one that was sent the fewest times."""
    first: dict[tuple[str, str], Submission] = {}
    for s in sorted(submissions, key=lambda s: s.sent_before or 0):
        if s.sent_before is not None:
            first.setdefault(_asked(s), s)
    return first


def _asked(s: Submission) -> tuple[str, str]:
    return s.user_id, s.request_hash
