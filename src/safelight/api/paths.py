"""Where a request goes, whatever path of a proxy we are mounted under."""

from __future__ import annotations

from starlette.types import Scope


def is_event_stream(path: str) -> bool:
    """Whether one of our GET routes streams events."""
    return path.endswith("/events")


def own_path(scope: Scope) -> str:
    """The path as our routes have it."""
    path: str = scope["path"]
    mounted_at: str = scope.get("root_path", "")
    return path.removeprefix(mounted_at) if f"{path}/".startswith(f"{mounted_at}/") else path
