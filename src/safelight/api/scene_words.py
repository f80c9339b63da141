"""A job in the words of the scene door. Pure, from the job's body."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from safelight.api.ended_words import error_message
from safelight.domain.jobs import Status

STATUS: Final = {Status.PROCESSING: "in_progress", Status.CANCELED: "failed", Status.PARTIAL: "completed"}
"""Where the word is another than ours."""
MESSAGE: Final = "Image generation was queued."


def queued(body: Mapping[str, Any], typical_s: float) -> dict[str, Any]:
    """What a client is told who has just asked. Task and record are the job."""
    waits_s = (body["queue_info"] or {}).get("eta_s") or 0
    return {
        "task_id": body["id"],
        "status": "queued",
        "message": MESSAGE,
        "estimated_time_seconds": math.ceil(waits_s + typical_s),
        "record_id": body["id"],
        **_whose(body),
        "retry_count": retry_count(body),
    }


def record(body: Mapping[str, Any]) -> dict[str, Any]:
    """Where a picture is, and what came of it. What was held for one that failed has gone back (`credits`)."""
    picture: Mapping[str, Any] = next(iter(body["assets"]), {})
    return {
        "record_id": body["id"],
        "status": STATUS.get(body["status"], body["status"]),
        "progress": body["progress"],
        "image_url": picture.get("url"),
        "thumbnail_url": picture.get("thumbnail_url"),
        "prompt": body["prompt"],
        "script_id": body["labels"].get("script_id"),
        **_whose(body),
        "retry_count": retry_count(body),
        "error_message": error_message(body),
        "generation_time_seconds": _took_s(body),
        "credits": body["credits"],
        "queue_info": body["queue_info"],
        "created_at": body["created_at"],
        "updated_at": body["finished_at"] or body["started_at"] or body["created_at"],
    }


def retry_count(body: Mapping[str, Any]) -> int:
    """The first try is none."""
    return max(0, int(body["attempt"]) - 1)


def _whose(body: Mapping[str, Any]) -> dict[str, Any]:
    """Of a scene its number, of a character its id. Labels may come from any door, so the number may be none."""
    labels = body["labels"]
    if "character_id" in labels:
        return {"character_id": labels["character_id"]}
    number = labels.get("scene_number", "")
    return {"scene_number": int(number) if number.isdecimal() else None}


def _took_s(body: Mapping[str, Any]) -> float | None:
    if body["started_at"] is None or body["finished_at"] is None:
        return None
    span = datetime.fromisoformat(body["finished_at"]) - datetime.fromisoformat(body["started_at"])
    return round(span.total_seconds(), 1)
