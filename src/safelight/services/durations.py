"""How long models take, learnt from the last completed jobs: by the sweep, never where jobs are claimed or end.

A run is from the first claim to the end: with its retries, for that is what its user waits for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.services.sql import INTEGER, REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query, insert_or_ignore
from safelight.store.tx import Tx

jobs, durations = tables.jobs, tables.durations

LOOK_BACK = 2_000
"""So many of the newest job numbers are looked at."""
ENOUGH = 5
"""Fewer runs of a model say nothing; what was learnt of it before stays."""


class Duration(NamedTuple):
    """Seconds that half of a model's last jobs, all but one in twenty, and all but one in a hundred needed at most.

    `p99_s` is 0 where it has not been learnt yet.
    """

    model: str
    jobs: int
    p50_s: float
    p95_s: float
    p99_s: float = 0.0


class _Run(NamedTuple):
    model: str
    ran_s: float


_newest = sa.select(sa.func.coalesce(sa.func.max(jobs.c.number), 0)).scalar_subquery()
_RUNS = Query(
    sa.select(jobs.c.model, (jobs.c.finished_at - jobs.c.started_at).label("ran_s")).where(
        jobs.c.number > _newest - LOOK_BACK,
        jobs.c.status == "completed",
        jobs.c.kind != "batch",
        jobs.c.started_at.is_not(None),
        jobs.c.resumed_call.is_(None),
    ),
    _Run,
)
_KNOWN = Query(sa.select(*(durations.c[name] for name in Duration._fields)), Duration)
_OPEN = Change(insert_or_ignore(durations, Duration._fields), columns=Duration._fields)
_SET = Change(
    sa.update(durations)
    .where(durations.c.model == arg("of_model"))
    .values(jobs=arg("runs", INTEGER), p50_s=arg("half", REAL), p95_s=arg("most", REAL), p99_s=arg("all_but_one", REAL))
)


def known(tx: Tx) -> dict[str, Duration]:
    """What was learnt so far, by model."""
    return {found.model: found for found in tx.all(_KNOWN)}


def news(tx: Tx) -> list[Duration]:
    """What the last jobs say that is not known yet."""
    before = known(tx)
    learnt = learn([(run.model, run.ran_s) for run in tx.all(_RUNS)])
    return [duration for duration in learnt if before.get(duration.model) != duration]


def keep_durations(tx: Tx, learnt: Sequence[Duration]) -> int:
    """Write down what was learnt; how many models it is about."""
    tx.many(_OPEN, [duration._asdict() for duration in learnt])
    tx.many(
        _SET,
        [
            {"of_model": d.model, "runs": d.jobs, "half": d.p50_s, "most": d.p95_s, "all_but_one": d.p99_s}
            for d in learnt
        ],
    )
    return len(learnt)


def learn(runs: Sequence[tuple[str, float]]) -> list[Duration]:
    """Of each model with enough runs, from pairs of model and seconds. Pure."""
    by_model: dict[str, list[float]] = {}
    for model, ran_s in runs:
        by_model.setdefault(model, []).append(max(0.0, ran_s))
    return [_duration(model, sorted(spans)) for model, spans in sorted(by_model.items()) if len(spans) >= ENOUGH]


def _duration(model: str, spans: Sequence[float]) -> Duration:
    return Duration(model, len(spans), _at(spans, 0.5), _at(spans, 0.95), _at(spans, 0.99))


def _at(spans: Sequence[float], share: float) -> float:
    return round(spans[math.ceil(share * len(spans)) - 1], 3)
