"""Jobs that were asked for before, as requests to be made again. Prices and models are those of the day of asking."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.errors import Conflict, Remedy
from safelight.domain.jobs import LIVE, Status
from safelight.services import callback, inputs
from safelight.services.prepare import JobRequest
from safelight.services.prepare_batch import BatchItem, BatchRequest
from safelight.services.sql import INTEGER, arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs = tables.jobs

UNFINISHED = frozenset({Status.FAILED, Status.CANCELED})
"""What a retry of a batch makes again of its items."""


class Original(NamedTuple):
    """A job with all that was asked of it, and what it cost."""

    number: int
    id: str
    user_id: str
    kind: str
    model: str
    provider_pin: str | None
    queue: str
    prompt: str
    params: str
    inputs: str
    labels: str
    outputs: int
    priority: int
    status: str
    share: float
    run_limit_s: float
    price: int
    callback: str | None


_COLUMNS = [jobs.c[name] for name in Original._fields]
_BY_ID = Query(
    sa.select(*_COLUMNS).where(
        jobs.c.id == arg("public_id"), jobs.c.user_id == arg("owner"), jobs.c.pruning_at.is_(None)
    ),
    Original,
)
_ITEMS = Query(sa.select(*_COLUMNS).where(jobs.c.parent == arg("batch", INTEGER)).order_by(jobs.c.number), Original)


def original(tx: Tx, job_id: str, user_id: str) -> Original | None:
    """A user's job."""
    return tx.one(_BY_ID, public_id=job_id, owner=user_id)


def items_of(tx: Tx, batch: int) -> list[Original]:
    """The items of a batch, in order."""
    return tx.all(_ITEMS, batch=batch)


def as_request(job: Original) -> JobRequest:
    """The same job once more, with the seed that was drawn for it. Times are not repeated: it may start at once."""
    return JobRequest(
        kind=job.kind,
        prompt=job.prompt,
        model=job.model,
        params=json.loads(job.params),
        inputs=inputs.refs_of(job.inputs),
        labels=json.loads(job.labels),
        provider=job.provider_pin,
        priority=job.priority,
        callback=callback.read(job.callback),
    )


def as_batch(batch: Original, items: Sequence[Original], statuses: Collection[str]) -> BatchRequest:
    """A batch of those items whose status is one of these."""
    asked = [as_request(item) for item in items if item.status in statuses]
    made = [BatchItem(request, prefix=f"items[{i}].") for i, request in enumerate(asked)]
    return BatchRequest(made, json.loads(batch.labels), batch.priority, callback.read(batch.callback))


def refuse_to_retry(job: Original) -> None:
    """Raises Conflict unless the job failed, was canceled, or is a batch of which a part did."""
    match job.status:
        case Status.FAILED | Status.CANCELED | Status.PARTIAL:
            return
        case Status.COMPLETED:
            what, remedy = "it completed", Remedy("To make it once more, replay it.", f"safelight jobs replay {job.id}")
        case Status.PROCESSING:
            what, remedy = "it is running", Remedy("Wait for its end, or cancel it.", f"safelight jobs cancel {job.id}")
        case _:
            what, remedy = (
                "it has not been tried yet",
                Remedy("See what it waits for.", f"safelight jobs show {job.id}"),
            )
    raise Conflict(f"Job {job.id} cannot be retried: {what}.", remedy=remedy, evidence={"status": job.status})


def refuse_to_replay(job: Original) -> None:
    """Raises Conflict while the job lives."""
    if job.status in LIVE:
        raise Conflict(
            f"Job {job.id} cannot be replayed: it has not ended.",
            remedy=Remedy("Wait for its end, or cancel it.", f"safelight jobs cancel {job.id}"),
            evidence={"status": job.status},
        )
