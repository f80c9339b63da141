"""Why a job waits, in a few words."""

from __future__ import annotations

from typing import Any


def waits(job: dict[str, Any]) -> str:
    """What it waits for, or its place; nothing for one that does not wait."""
    info = job["queue_info"] or {}
    if info.get("waiting_for"):
        return f"waits for {info['waiting_for']}"
    return f"{info['position']}. in the queue" if info.get("position") else ""
