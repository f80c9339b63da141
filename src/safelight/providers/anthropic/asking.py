"""What Anthropic is asked for a text. Pure."""

from __future__ import annotations

import base64
from typing import Any

from safelight.providers.protocol import Generation, Input

USUAL_TOKENS = 2048
"""`max_tokens` must be said; the catalog says it for all models shipped."""


def message_body(generation: Generation) -> dict[str, Any]:
    """The JSON of `POST /v1/messages`, streamed."""
    params = generation.params
    body: dict[str, Any] = {
        "model": generation.model,
        "max_tokens": params.get("max_tokens") or USUAL_TOKENS,
        "messages": [{"role": "user", "content": _content(generation)}],
        "stream": True,
    }
    if params.get("temperature") is not None:
        body["temperature"] = params["temperature"]
    return body


def _content(generation: Generation) -> str | list[dict[str, Any]]:
    if not generation.inputs:
        return generation.prompt
    return [*map(_picture, generation.inputs), {"type": "text", "text": generation.prompt}]


def _picture(picture: Input) -> dict[str, Any]:
    data = base64.b64encode(picture.data).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": picture.mime, "data": data}}
