"""A job in the words of the avatar door: a generation, and once it is completed an avatar. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from safelight.api.ended_words import error_message
from safelight.domain.clock import as_rfc3339
from safelight.domain.jobs import Status
from safelight.services.projects import LABEL, Project

NAME: Final = "avatar_name"
STATUS: Final = {Status.CANCELED: "failed", Status.PARTIAL: "completed"}
"""Where the word is another than ours."""


def generation(body: Mapping[str, Any]) -> dict[str, Any]:
    """From a job's body as `desk.body` writes it."""
    completed = body["status"] == Status.COMPLETED
    return {
        "id": body["id"],
        "userId": body["user_id"],
        "projectId": body["labels"].get(LABEL),
        "avatarId": body["id"] if completed else None,
        "name": body["labels"].get(NAME),
        "status": STATUS.get(body["status"], body["status"]),
        "progress": body["progress"],
        "prompt": body["prompt"],
        "options": {"model": body["model"], **body["params"]},
        "errorMessage": error_message(body),
        "credits": body["credits"],
        "queueInfo": body["queue_info"],
        "createdAt": body["created_at"],
        "completedAt": body["finished_at"],
    }


def avatar(body: Mapping[str, Any], thumbnail_url: str) -> dict[str, Any]:
    """What a completed generation has made. `avatarId` of a generation is the id of both."""
    picture: Mapping[str, Any] = next(iter(body["assets"]), {})
    return {
        "id": body["id"],
        "userId": body["user_id"],
        "projectId": body["labels"].get(LABEL),
        "name": body["labels"].get(NAME),
        "prompt": body["prompt"],
        "imageUrl": picture.get("url"),
        "thumbnailUrl": thumbnail_url if picture else None,
        "width": picture.get("width"),
        "height": picture.get("height"),
        "createdAt": body["finished_at"],
    }


def project_body(project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "userId": project.user_id,
        "name": project.name,
        "description": project.description,
        "createdAt": as_rfc3339(project.created_at),
        "updatedAt": as_rfc3339(project.updated_at),
    }
