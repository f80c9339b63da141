"""A job in the words of tasks: `queued` for `pending`, a result under one name per kind. Pure, from the job's body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from safelight.domain.clock import as_rfc3339
from safelight.domain.jobs import Status
from safelight.services.made_by import MadeBy

STATUS: Final[Mapping[str, str]] = {Status.PENDING: "queued"}
"""Where the word is another than ours."""
MESSAGES: Final = {
    "queued": "Task is queued for processing",
    "processing": "Task is being processed",
    "completed": "Task completed",
    "canceled": "Task was canceled",
}
CANCELED: Final = {"code": "canceled", "message": "The task was canceled.", "remedy": "Create it again if you need it."}
RESULTS: Final = {"video": "video_url", "text": "text"}
"""Where a result stands, by kind; everything else is a picture."""


class Task(NamedTuple):
    """A job's body as `desk.body` writes it, and for a completed one what made it."""

    body: Mapping[str, Any]
    made_by: MadeBy | None = None

    @property
    def status(self) -> str:
        return word(self.body["status"])


def word(status: str) -> str:
    """Their word for a status of ours."""
    return STATUS.get(status, str(status))


def created(task: Task) -> dict[str, Any]:
    """What a client is told who has just made it."""
    body = task.body
    return {"task_id": body["id"], "status": task.status, "progress": body["progress"], "model": body["model"]}


def shown(task: Task) -> dict[str, Any]:
    """The task as `GET /api/tasks/{id}` shows it."""
    body = task.body
    asked = {"type": body["kind"], "prompt": body["prompt"], "model": body["model"], **body["params"]}
    return {
        "task_id": body["id"],
        "status": task.status,
        "progress": body["progress"],
        "input_data": asked,
        "created_at": body["created_at"],
        "updated_at": body["finished_at"] or body["started_at"] or body["created_at"],
        "result_data": result(task),
        "error_data": error(task),
    }


def status_push(task: Task, at: float) -> dict[str, Any]:
    """What a client is told first after it has joined."""
    message = MESSAGES.get(task.status) or task.body["error"]["message"]
    told = {"task_id": task.body["id"], "status": task.status, "progress": task.body["progress"]}
    return {**told, "message": message, "timestamp": as_rfc3339(at)}


def progress_push(task: Task, at: float) -> dict[str, Any]:
    """How far it is, and in the end what came of it."""
    told = moved(task.body["id"], task.body["status"], task.body["progress"], at)
    ended = {"result_data": result(task), "error_data": error(task)}
    return {**told, **{name: value for name, value in ended.items() if value is not None}}


def moved(task_id: str, status: str, progress: float, at: float) -> dict[str, Any]:
    """News of a task that goes on; `status` as ours."""
    return {"task_id": task_id, "progress": progress, "status": word(status), "timestamp": as_rfc3339(at)}


def result(task: Task) -> dict[str, Any] | None:
    """What a completed task made; more than one file stand in `image_urls` or `video_urls` as well."""
    body = task.body
    if body["status"] != Status.COMPLETED:
        return None
    name = RESULTS.get(body["kind"], "image_url")
    urls = [asset["url"] for asset in body["assets"]]
    made: dict[str, Any] = {name: body["text"] if name == "text" else next(iter(urls), None)}
    if name != "text" and len(urls) > 1:
        made[f"{name}s"] = urls
    return {
        **made,
        "model": body["model"],
        "provider": task.made_by.provider if task.made_by else None,
        "prediction_id": task.made_by.name if task.made_by else None,
        "created_at": body["created_at"],
        "completed_at": body["finished_at"],
    }


def error(task: Task) -> dict[str, Any] | None:
    """Why there is no result and never will be."""
    if task.body["status"] not in (Status.FAILED, Status.CANCELED):
        return None
    found = task.body["error"] or CANCELED
    return {"error": found["message"], "code": found["code"], "remedy": found["remedy"]}
