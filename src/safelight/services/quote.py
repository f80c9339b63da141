"""What a request would cost and when it would be done: checked like a submit, of which nothing remains.

Estimates are made of what is usual: the learnt durations of models, or what the catalog says of them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from safelight.catalog.catalog import Catalog
from safelight.domain.clock import as_rfc3339
from safelight.services.caps import Caps
from safelight.services.desk import Desk
from safelight.services.prepare import Caller, JobRequest
from safelight.services.prepare_batch import BatchRequest
from safelight.services.prospect import Line, Prospect, Seen, prospects
from safelight.services.submission import Submission
from safelight.services.submit_batch import BatchSubmission
from safelight.store.tx import Tx

NOT_FETCHED = {
    "code": "inputs_not_fetched",
    "message": "Pictures at addresses and in the request itself are looked at when the job is really submitted.",
}


class Prediction(NamedTuple):
    """Epoch seconds, None where that cannot be said. `low`: if it began at once; `high`: if it takes long for its
    model, as one job in twenty does."""

    start_at: float | None
    finish_at: float | None
    low: float | None
    high: float | None
    waiting_for: str | None


@dataclass(frozen=True, slots=True)
class Quotes:
    """Dry runs at one desk. `caps`: how many jobs of a user may run."""

    desk: Desk
    caps: Caps

    async def quote(self, request: JobRequest | BatchRequest, caller: Caller) -> dict[str, Any]:
        """The public body of a dry run. Raises whatever a submit would, but for want of credits."""
        prepared, is_whole = await self.desk.rehearsed(request, caller)
        outlook = await self.desk.lookout.look()
        catalog = await self.desk.terms.catalog_for(caller.user_id, outlook.learnt)
        jobs = prepared.items if isinstance(prepared, BatchSubmission) else (prepared,)
        seen = await self.desk.database.read(_looked, jobs, catalog, outlook.configured, self.caps)
        return _body(prepared, jobs, seen, predict(jobs, catalog, seen), [] if is_whole else [NOT_FETCHED])


def predict(jobs: Sequence[Submission], catalog: Catalog, seen: Seen) -> Prediction:
    """Of jobs that are submitted together. Pure."""
    by_queue = _by_queue(jobs)
    spans = [_span(each, seen.prospects[queue], catalog, seen.now) for queue, each in by_queue.items()]
    starts = [span.start_at for span in spans if span.start_at is not None]
    return Prediction(
        min(starts, default=None),
        _latest([span.finish_at for span in spans]),
        _latest([span.low for span in spans]),
        _latest([span.high for span in spans]),
        next((span.waiting_for for span in spans if span.waiting_for), None),
    )


def _span(jobs: Sequence[Submission], prospect: Prospect, catalog: Catalog, now: float) -> Prediction:
    """Of jobs in one queue: they share its workers, and none begins before its time."""
    begin = max(now, min(job.start_at or now for job in jobs))
    last = max(now, max(job.start_at or now for job in jobs))
    if prospect.wait_s is None:
        return Prediction(None, None, None, None, prospect.waiting_for)
    models = [model for job in jobs if (model := catalog.get(job.model))]
    usual_s = _together([model.typical_s for model in models], prospect.slots)
    long_s = _together([max(model.typical_s, model.longest_s) for model in models], prospect.slots)
    ready = now + prospect.wait_s
    return Prediction(
        max(begin, ready), max(last, ready) + usual_s, last + usual_s, max(last, ready) + long_s, prospect.waiting_for
    )


def _together(spans_s: Sequence[float], slots: int) -> float:
    """What so many slots need for all of it, none of which can be divided."""
    return max(max(spans_s), sum(spans_s) / slots)


def _latest(times: Sequence[float | None]) -> float | None:
    known = [at for at in times if at is not None]
    return max(known) if len(known) == len(times) else None


def _looked(tx: Tx, jobs: Sequence[Submission], catalog: Catalog, configured: frozenset[str], caps: Caps) -> Seen:
    user = jobs[0].user_id
    cap = caps.of(tx, [user])[user]
    lines = [
        Line(queue, user, max(job.priority for job in each), _providers(each, catalog, configured), cap)
        for queue, each in _by_queue(jobs).items()
    ]
    return prospects(tx, user, lines)


def _by_queue(jobs: Sequence[Submission]) -> Mapping[str, list[Submission]]:
    found: defaultdict[str, list[Submission]] = defaultdict(list)
    for job in jobs:
        found[job.queue].append(job)
    return found


def _providers(jobs: Sequence[Submission], catalog: Catalog, configured: frozenset[str]) -> tuple[frozenset[str], ...]:
    today = datetime.now(UTC).date()
    asked = {(job.model, job.provider_pin) for job in jobs}
    routes = {
        frozenset(route.provider for route in model.usable_routes(configured=configured, today=today, pin=pin))
        for name, pin in asked
        if (model := catalog.get(name))
    }
    return tuple(routes)


def _body(
    prepared: Submission | BatchSubmission,
    jobs: Sequence[Submission],
    seen: Seen,
    predicted: Prediction,
    warnings: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    asked = prepared if isinstance(prepared, Submission) else prepared.parent
    price = sum(job.price for job in jobs)
    told = {json.dumps(each): each for job in (asked, *jobs) for each in json.loads(job.warnings)}
    return {
        "price_credits": price,
        "affordable": price <= seen.available,
        "kind": asked.kind,
        "model": asked.model or None,
        "params": json.loads(asked.params),
        "items": None if asked is jobs[0] else len(jobs),
        "predicted": {
            "start_at": _time(predicted.start_at),
            "finish_at": _time(predicted.finish_at),
            "low": _time(predicted.low),
            "high": _time(predicted.high),
            "waiting_for": predicted.waiting_for,
        },
        "warnings": [*told.values(), *warnings],
    }


def _time(at_s: float | None) -> str | None:
    return None if at_s is None else as_rfc3339(at_s)
