"""Insert the rows of new jobs, and say that they are there. What they cost is the caller's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import EventType, Stage, Status
from safelight.services import events, uploads
from safelight.services.sql import arg
from safelight.services.submission import Submission
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

jobs = tables.jobs


class NewJob(NamedTuple):
    number: int
    id: str


_EXISTING = Query(sa.select(jobs.c.number, jobs.c.id).where(jobs.c.id == arg("public_id")), NewJob)
_COLUMNS = (
    "id",
    "user_id",
    "account",
    "kind",
    "model",
    "provider_pin",
    "queue",
    "prompt",
    "params",
    "inputs",
    "labels",
    "outputs",
    "priority",
    "request_id",
    "warnings",
    "status",
    "stage",
    "sequence",
    "ready",
    "due_at",
    "vstart",
    "share",
    "created_at",
    "start_at",
    "deadline_at",
    "run_limit_s",
    "price",
    "terms",
    "parent",
    "replay_of",
    "resumed_call",
    "callback",
    "request_hash",
)
_INSERT = Query(sa.insert(jobs).returning(jobs.c.number, jobs.c.id), NewJob, columns=_COLUMNS)
_LABELS = ("user_id", "key", "value", "job")
_LABEL = Change(sa.insert(tables.labels), columns=_LABELS)


def existing(tx: Tx, submissions: Sequence[Submission]) -> list[str]:
    """The ids of those that are there already: a commit whose outcome was lost is being run again."""
    rows = tx.many(_EXISTING, [{"public_id": s.id} for s in submissions])
    return [row.id for row in rows if row]


def insert(
    tx: Tx,
    submissions: Sequence[Submission],
    accounts: Mapping[str, int],
    vstarts: Mapping[str, float],
    *,
    parent: int | None = None,
) -> dict[str, int]:
    """The number of each new job, by id. `accounts` by user, `vstarts` by job id."""
    now = tx.now
    rows = tx.many(_INSERT, [_row(s, accounts[s.user_id], vstarts[s.id], parent, now) for s in submissions])
    numbers = {row.id: row.number for row in rows if row}
    uploads.use_uploads(tx, [(numbers[s.id], upload) for s in submissions for upload in s.uploads])
    if labelled := [s for s in submissions if s.labels != "{}"]:
        tx.many(_LABEL, [row for s in labelled for row in _label_rows(s, numbers[s.id])])
    return numbers


def announce(tx: Tx, submissions: Sequence[Submission], numbers: Mapping[str, int]) -> None:
    """Append `job.submitted` to each, and wake the queues of those that may be claimed."""
    events.append(
        tx,
        [
            events.NewEvent(
                numbers[s.id], s.id, s.user_id, 1, EventType.SUBMITTED, {"price_credits": s.price}, s.callback
            )
            for s in submissions
        ],
    )
    tx.wake(*{f"queue:{s.queue}" for s in submissions if s.queue})


def _label_rows(s: Submission, number: int) -> list[dict[str, Any]]:
    labels: dict[str, str] = json.loads(s.labels)
    return [{"user_id": s.user_id, "key": key, "value": value, "job": number} for key, value in labels.items()]


def _row(s: Submission, account: int, vstart: float, parent: int | None, now: float) -> dict[str, Any]:
    start_at = now if s.start_at is None else max(now, s.start_at)
    delayed = start_at > now
    return {
        "id": s.id,
        "user_id": s.user_id,
        "account": account,
        "kind": s.kind,
        "model": s.model,
        "provider_pin": s.provider_pin,
        "queue": s.queue,
        "prompt": s.prompt,
        "params": s.params,
        "inputs": s.inputs,
        "labels": s.labels,
        "outputs": s.outputs,
        "priority": s.priority,
        "request_id": s.request_id,
        "warnings": s.warnings,
        "status": str(Status.PENDING),
        "stage": str(Stage.QUEUED),
        "sequence": 1,
        "ready": s.kind != "batch" and not delayed,
        "due_at": start_at if delayed and s.kind != "batch" else None,
        "vstart": vstart,
        "share": s.share,
        "created_at": now,
        "start_at": start_at,
        "deadline_at": start_at + s.max_wait_s,
        "run_limit_s": s.run_limit_s,
        "price": s.price,
        "terms": s.terms,
        "parent": parent,
        "replay_of": s.replay_of,
        "resumed_call": s.resumed_call,
        "callback": s.callback,
        "request_hash": s.request_hash if s.sent_before is not None else None,
    }
