"""Why a job came to nothing, for doors that say so in one sentence and have no word for canceled. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safelight.domain.jobs import Status


def error_message(body: Mapping[str, Any]) -> str | None:
    """From a job's body; what was held has gone back (`credits.released`)."""
    if body["status"] == Status.CANCELED:
        return "canceled"
    return body["error"]["message"] if body["error"] and body["status"] == Status.FAILED else None
