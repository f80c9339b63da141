"""Read jobs with what belongs to them: assets, cost, place in the queue. Only what is being pruned is hidden."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.gates import Shut
from safelight.domain.jobs import Status
from safelight.services import gate_parking, gate_words, waiting_since
from safelight.services.read_items import ItemsSum, sums_of
from safelight.services.sql import INTEGER, REAL, arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

jobs, assets, calls, previews, queues = tables.jobs, tables.assets, tables.calls, tables.previews, tables.queues
durations, workers = tables.durations, tables.workers

COUNT_AHEAD = 1_000
"""Places beyond this are not counted: a longer queue would make every look at it slow."""


class JobRow(NamedTuple):
    number: int
    id: str
    user_id: str
    kind: str
    model: str
    queue: str
    prompt: str
    params: str
    inputs: str
    labels: str
    outputs: int
    priority: int
    request_id: str | None
    warnings: str
    status: str
    stage: str
    progress: float
    sequence: int
    error: str | None
    text: str | None
    cut_short: bool
    ready: bool
    waiting_for: str | None
    due_at: float | None
    vstart: float
    attempt: int
    max_attempts: int
    cancel_requested_at: float | None
    created_at: float
    start_at: float
    started_at: float | None
    finished_at: float | None
    deadline_at: float
    price: int
    captured: int
    settled: bool
    parent_id: str | None
    replay_of_id: str | None


class AssetRow(NamedTuple):
    job: int
    id: str
    key: str
    thumbnail_key: str | None
    mime: str
    bytes: int
    width: int | None
    height: int | None
    duration_s: float | None
    sha256: str
    ai_generated: bool
    recovered: bool
    created_at: float


@dataclass(frozen=True, slots=True)
class JobDetails:
    """A job and all that its public body is made from."""

    job: JobRow
    assets: tuple[AssetRow, ...]
    cost_usd: float
    read_at: float
    """Epoch seconds, by the database's clock."""
    items: ItemsSum | None = None
    """Of a batch."""
    ahead: int | None = None
    """Jobs before it in its queue, up to COUNT_AHEAD; None when it does not wait for a worker, or in lists."""
    queue_paused: bool = False
    """It waits for nothing but its queue to be resumed; not told in lists."""
    unserved: bool = False
    """It waits for a worker, and no living one serves its queue; not told in lists."""
    gate: str | None = None
    """What it waits for, in words, if that is a provider."""
    waits_since: float | None = None
    """When it could be started at last, if it waits."""
    eta_s: float | None = None
    """In about how many seconds a worker will be free for it; None where that cannot be said, or in lists."""


class _Cost(NamedTuple):
    job: int
    cost_usd: float | None


class Place(NamedTuple):
    ahead: int
    ahead_s: float
    """What those before it usually need, and half of what those that run do."""
    running: int
    slots: int
    queue_paused: bool


class PreviewRow(NamedTuple):
    sequence: int
    mime: str
    data: str


class AssetFile(NamedTuple):
    """Where an asset's bytes are."""

    id: str
    key: str
    thumbnail_key: str | None
    mime: str
    bytes: int
    sha256: str
    job_id: str
    kind: str
    created_at: float


_other = jobs.alias("other")


def _id_of(number: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    return sa.select(_other.c.id).where(_other.c.number == number).correlate(jobs).scalar_subquery()


JOB = [
    *(jobs.c[name] for name in JobRow._fields[:-2]),
    _id_of(jobs.c.parent).label("parent_id"),
    _id_of(jobs.c.replay_of).label("replay_of_id"),
]
"""What a statement returns whose rows are to be read as `JobRow`."""
_ASSET = [assets.c[name] for name in AssetRow._fields]
_BY_ID = Query(sa.select(*JOB).where(jobs.c.id == arg("public_id"), jobs.c.pruning_at.is_(None)), JobRow)
_ASSETS_OF = Query(
    sa.select(*_ASSET)
    .where(
        assets.c.job.in_(sa.bindparam("numbers", expanding=True)),
        sa.not_(assets.c.recovered),
        assets.c.removed_at.is_(None),
    )
    .order_by(assets.c.number),
    AssetRow,
)
_COST_OF = Query(
    sa.select(calls.c.job, sa.func.sum(calls.c.cost_usd).label("cost_usd"))
    .where(calls.c.job.in_(sa.bindparam("numbers", expanding=True)), calls.c.cost_usd.is_not(None))
    .group_by(calls.c.job),
    _Cost,
)
_usual_s = sa.func.coalesce(durations.c.p50_s, jobs.c.share)
_with_durations = sa.outerjoin(jobs, durations, durations.c.model == jobs.c.model)
_before_it = (
    sa.select(_usual_s.label("usual_s"))
    .select_from(_with_durations)
    .where(
        jobs.c.queue == arg("line"),
        jobs.c.ready,
        sa.or_(
            jobs.c.priority > arg("own_priority", INTEGER),
            sa.and_(
                jobs.c.priority == arg("own_priority", INTEGER),
                sa.or_(
                    jobs.c.vstart < arg("own_vstart", REAL),
                    sa.and_(jobs.c.vstart == arg("own_vstart", REAL), jobs.c.number < arg("own_number", INTEGER)),
                ),
            ),
        ),
    )
    .limit(COUNT_AHEAD)
    .subquery()
)
_is_paused = sa.exists().where(queues.c.name == arg("line"), queues.c.paused_at.is_not(None))
_runs = sa.and_(
    jobs.c.queue == arg("line"), sa.or_(jobs.c.status == "processing", jobs.c.resumes)
)  # as its index has it
_running_s = sa.select(sa.func.sum(_usual_s)).select_from(_with_durations).where(_runs).scalar_subquery()
_running = sa.select(sa.func.count()).select_from(jobs).where(_runs).scalar_subquery()
_slots = (
    sa.select(sa.func.sum(workers.c.slots))
    .where(workers.c.lost_at.is_(None), sa.not_(workers.c.draining), workers.c.queues.contains(arg("line_in_json")))
    .scalar_subquery()
)
_PLACE = Query(
    sa.select(
        sa.func.count().label("ahead"),
        sa.func.coalesce(sa.func.sum(_before_it.c.usual_s), 0.0) + sa.func.coalesce(_running_s, 0.0) / 2,
        _running.label("running"),
        sa.func.coalesce(_slots, 0),
        _is_paused.label("queue_paused"),
    ).select_from(_before_it),
    Place,
)
_PREVIEW = Query(
    sa.select(previews.c.sequence, previews.c.mime, previews.c.data)
    .join_from(previews, jobs, previews.c.job == jobs.c.number)
    .where(jobs.c.id == arg("public_id")),
    PreviewRow,
)
_ASSET_FILE = Query(
    sa.select(
        assets.c.id,
        assets.c.key,
        assets.c.thumbnail_key,
        assets.c.mime,
        assets.c.bytes,
        assets.c.sha256,
        jobs.c.id.label("job_id"),
        jobs.c.kind,
        assets.c.created_at,
    )
    .join_from(assets, jobs, assets.c.job == jobs.c.number)
    .where(
        assets.c.id == arg("public_id"),
        sa.not_(assets.c.recovered),
        assets.c.removed_at.is_(None),
        jobs.c.pruning_at.is_(None),
    ),
    AssetFile,
)


def job_details(tx: Tx, job_id: str, user_id: str | None) -> JobDetails | None:
    """One job, with its place in the queue; None if it is not there or not the user's. `None` asks as the system."""
    row = tx.one(_BY_ID, public_id=job_id)
    if row is None or (user_id is not None and row.user_id != user_id):
        return None
    details = with_belongings(tx, [row])[0]
    if row.status != Status.PENDING or not row.ready:
        return details
    found = place(tx, row.queue, own_priority=row.priority, own_vstart=row.vstart, own_number=row.number)
    eta_s, paused = wait_s(found), bool(found.queue_paused)
    return replace(details, ahead=found.ahead, queue_paused=paused, unserved=not found.slots, eta_s=eta_s)


def place(tx: Tx, queue: str, *, own_priority: int, own_vstart: float, own_number: int) -> Place:
    """What stands in a queue before a job, and who works there."""
    own = {"own_priority": own_priority, "own_vstart": own_vstart, "own_number": own_number}
    return tx.all(_PLACE, line=queue, line_in_json=json.dumps(queue), **own)[0]


def wait_s(place: Place) -> float | None:
    """Until a worker is free. None where nobody works on the queue, or more stand before it than were counted."""
    if place.queue_paused or not place.slots or place.ahead >= COUNT_AHEAD:
        return None
    return 0.0 if place.ahead + place.running < place.slots else round(place.ahead_s / place.slots, 1)


def preview(tx: Tx, job_id: str) -> PreviewRow | None:
    """The newest preview of a running job."""
    return tx.one(_PREVIEW, public_id=job_id)


def asset_file(tx: Tx, asset_id: str) -> AssetFile | None:
    """Where an asset is stored."""
    return tx.one(_ASSET_FILE, public_id=asset_id)


def with_belongings(tx: Tx, rows: Sequence[JobRow]) -> list[JobDetails]:
    """Jobs in the same order, each with its assets and cost, a batch with those of its items."""
    numbers = [row.number for row in rows]
    if not numbers:
        return []
    found: dict[int, list[AssetRow]] = defaultdict(list)
    for asset in tx.all(_ASSETS_OF, numbers=numbers):
        found[asset.job].append(asset)
    costs = {cost.job: cost.cost_usd or 0.0 for cost in tx.all(_COST_OF, numbers=numbers)}
    gates = gate_words.shut_gates(tx) if any(gate_parking.provider_of(row.waiting_for) for row in rows) else {}
    sums = sums_of(tx, [row.number for row in rows if row.kind == "batch"])
    since = waiting_since.waiting_since(tx, [row for row in rows if row.status == Status.PENDING])
    return [
        JobDetails(
            row,
            tuple(found[row.number]),
            costs.get(row.number, 0.0),
            tx.now,
            sums.get(row.number),
            gate=_at_gate(row, gates),
            waits_since=since.get(row.number),
        )
        for row in rows
    ]


def _at_gate(row: JobRow, gates: Mapping[str, Shut]) -> str | None:
    provider = gate_parking.provider_of(row.waiting_for)
    return None if provider is None else gate_words.words(provider, gates.get(provider))
