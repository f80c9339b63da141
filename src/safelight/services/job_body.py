"""The public body of a job: the one shape that every door, event and webhook shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from safelight.domain.clock import as_rfc3339
from safelight.domain.jobs import LIVE
from safelight.services import inputs, waiting_words
from safelight.services.inputs import StoredInput
from safelight.services.read_jobs import AssetRow, JobDetails, JobRow
from safelight.services.waiting_words import waits_for


@dataclass(frozen=True, slots=True)
class Links:
    """How public URLs are made: the base address and signed paths of assets."""

    base: str
    """Without a slash at the end."""
    socket: str
    """Where live updates come over a WebSocket."""
    asset: Callable[[str], str]
    """Asset id → absolute signed URL."""
    upload: Callable[[str], str]
    """Upload id → absolute signed URL of its picture."""
    thumbnail: Callable[[str], str]
    cover: Callable[[str], str]
    """Job id → absolute signed URL of a square thumbnail of its first picture."""
    preview: Callable[[str, int], str]
    """Job id and sequence → absolute signed URL of a preview, good while the job runs."""


def job_body(details: JobDetails, links: Links) -> dict[str, Any]:
    """A job as everyone outside sees it (FRONT_DOORS §1)."""
    job = details.job
    return {
        "id": job.id,
        "user_id": job.user_id,
        "kind": job.kind,
        "model": job.model or None,
        "queue": job.queue or None,
        "status": job.status,
        "stage": job.stage,
        "progress": job.progress,
        "sequence": job.sequence,
        "priority": job.priority,
        "prompt": None if job.kind == "batch" else job.prompt,
        "params": json.loads(job.params),
        "inputs": [each.body(_address_of(each, links)) for each in inputs.read(job.inputs)],
        "labels": json.loads(job.labels),
        "assets": [asset_body(asset, links) for asset in details.assets],
        "text": job.text,
        "error": _error(job),
        "credits": _credits(details),
        "cost_usd": details.items.cost_usd if details.items else details.cost_usd,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "parent_id": job.parent_id,
        "replay_of": job.replay_of_id,
        "items": _items(details, links),
        "queue_info": _queue_info(details),
        "warnings": [*json.loads(job.warnings), *_cut_short(job)],
        "request_id": job.request_id,
        "cancel_requested": job.cancel_requested_at is not None,
        "created_at": as_rfc3339(job.created_at),
        "started_at": _time(job.started_at),
        "finished_at": _time(job.finished_at),
        "deadline_at": as_rfc3339((details.items and details.items.deadline_at) or job.deadline_at),
        "urls": {
            "self": f"{links.base}/api/jobs/{job.id}",
            "events": f"{links.base}/api/jobs/{job.id}/events",
            "socket": links.socket,
            "cancel": f"{links.base}/api/jobs/{job.id}/cancel",
            "debug": f"{links.base}/api/jobs/{job.id}/debug",
        },
    }


def _address_of(each: StoredInput, links: Links) -> str:
    return links.asset(each.id) if each.source == "asset" else links.upload(each.id)


def asset_body(asset: AssetRow, links: Links) -> dict[str, Any]:
    """One delivered file."""
    return {
        "id": asset.id,
        "url": links.asset(asset.id),
        "thumbnail_url": links.thumbnail(asset.id) if asset.thumbnail_key else None,
        "mime": asset.mime,
        "width": asset.width,
        "height": asset.height,
        "bytes": asset.bytes,
        "duration_s": asset.duration_s,
        "sha256": asset.sha256,
        "ai_generated": asset.ai_generated,
        "recovered": asset.recovered,
    }


def _error(job: JobRow) -> dict[str, Any] | None:
    if job.error is None:
        return None
    known = dict.fromkeys(("provider", "provider_code", "provider_message", "provider_request_id"))
    return {**known, **json.loads(job.error)}


def _cut_short(job: JobRow) -> list[dict[str, str]]:
    text = "The text ends where `max_tokens` was reached; allow it more for a whole one."
    return [{"code": "cut_short", "message": text}] if job.cut_short else []


def _credits(details: JobDetails) -> dict[str, int]:
    job, items = details.job, details.items
    if items is not None:
        return {"held": items.held, "captured": items.captured, "released": items.released}
    return {
        "held": 0 if job.settled else job.price,
        "captured": job.captured,
        "released": job.price - job.captured if job.settled else 0,
    }


def _items(details: JobDetails, links: Links) -> dict[str, Any] | None:
    if details.items is None:
        return None
    url = f"{links.base}/api/jobs/{details.job.id}/items"
    return {"total": details.items.total, "by_status": dict(details.items.by_status), "url": url}


def _queue_info(details: JobDetails) -> dict[str, Any] | None:
    job = details.job
    if job.status not in LIVE or job.status == "processing":
        return None
    return {
        "position": None if details.ahead is None else details.ahead + 1,
        "eta_s": details.eta_s,
        "waiting_for": _waiting_for(details),
        "due_at": _time(job.due_at),
        "since": _time(details.waits_since),
    }


def _waiting_for(details: JobDetails) -> str | None:
    if details.queue_paused:
        return waiting_words.PAUSED
    return waiting_words.NOBODY if details.unserved else details.gate or waits_for(details.job.waiting_for)


def _time(at_s: float | None) -> str | None:
    return None if at_s is None else as_rfc3339(at_s)
