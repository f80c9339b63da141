"""The messages of a task's channel that ask for something to be made, and the answers to them."""

from __future__ import annotations

from typing import Annotated, Any, Final, NamedTuple

from pydantic import Field, ValidationError

from safelight.api.errors import invalid
from safelight.api.task_bodies import Asked
from safelight.api.task_words import Task
from safelight.domain.clock import as_rfc3339


class Generating(NamedTuple):
    """What a message makes, and the event that answers it."""

    kind: str
    answered_by: str


GENERATES: Final = {
    "image_generate": Generating("image", "image_response"),
    "video_generate": Generating("video", "video_response"),
    "llm_generate": Generating("text", "llm_response"),
}
MADE: Final = "Task created and queued for processing"
MADE_BEFORE: Final = "This request has its task already"


class Generate(Asked):
    """The payload of such a message."""

    request_id: (
        Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
        | Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
        | None
    ) = None
    """Told in the answer. Repeated on the same topic it gives the same task again, and pays nothing."""


def read(payload: dict[str, Any]) -> Generate:
    """Raises InvalidParams."""
    try:
        return Generate.model_validate(payload)
    except ValidationError as error:
        raise invalid(error.errors()) from error


def answered(task: Task, at: float, message: str) -> dict[str, Any]:
    """The task that was made, or was there."""
    body = task.body
    told = {"success": True, "task_id": body["id"], "status": task.status, "message": message, "model": body["model"]}
    return {**told, "timestamp": as_rfc3339(at)}
