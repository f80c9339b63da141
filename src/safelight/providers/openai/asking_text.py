"""What OpenAI, or a server that speaks its chat completions, is asked for a text. Pure."""

from __future__ import annotations

import re
from typing import Any

from safelight.providers.data_uris import data_uri
from safelight.providers.protocol import Generation

_OWN_MODEL = re.compile(r"(gpt-(?!oss)|chatgpt-|o\d)")


def text_body(generation: Generation) -> dict[str, Any]:
    """The JSON of `POST /chat/completions`, streamed and with usage at the end."""
    params = generation.params
    body: dict[str, Any] = {
        "model": generation.model,
        "messages": [{"role": "user", "content": _content(generation)}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if params.get("max_tokens") is not None:
        body[most_tokens_name(generation.model)] = params["max_tokens"]
    if params.get("temperature") is not None:
        body["temperature"] = params["temperature"]
    return body


def most_tokens_name(model: str) -> str:
    """OpenAI's own models refuse the old name since they think; most other servers know only that."""
    return "max_completion_tokens" if _OWN_MODEL.match(model) else "max_tokens"


def _content(generation: Generation) -> str | list[dict[str, Any]]:
    if not generation.inputs:
        return generation.prompt
    shown = [{"type": "image_url", "image_url": {"url": data_uri(picture)}} for picture in generation.inputs]
    return [{"type": "text", "text": generation.prompt}, *shown]
