"""What ModelsLab's calls are called: `v7/images/123` says where to ask for 123, even in another process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CREATE = {"v7": "/api/v7/images/text-to-image", "v6": "/api/v6/images/text2img"}
NEWEST = "v7"
SEPARATOR = "~"


def version_and_model(model: str) -> tuple[str, str]:
    """`v6:sdxl` is that model through v6; without a version it is v7."""
    version, colon, name = model.partition(":")
    return (version, name) if colon and version in CREATE else (NEWEST, model)


def track_id(call_id: str, version: str) -> str:
    """Our own id, which its answers and webhooks repeat; with the version where that is not the newest."""
    return call_id if version == NEWEST else f"{call_id}{SEPARATOR}{version}"


def remote_id(number: object, version: str) -> str:
    return f"{version}/images/{number}"


def fetch_path(name: str) -> str | None:
    """Where the call of that name is asked for; None if it is no name of ours."""
    version, _, number = name.partition("/images/")
    return (
        f"/api/{version}/images/fetch/{number}" if version in CREATE and number.isascii() and number.isalnum() else None
    )


def name_in(body: Mapping[str, Any]) -> str | None:
    """The remote id in a webhook's body; None if it names no call."""
    number = body.get("id")
    if isinstance(number, bool) or not isinstance(number, int | str) or not str(number).isalnum():
        return None
    version = str(body.get("track_id") or "").partition(SEPARATOR)[2]
    return remote_id(number, version if version in CREATE else NEWEST)
