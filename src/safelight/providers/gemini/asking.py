"""What Gemini is asked for a text. Pure."""

from __future__ import annotations

import base64
from typing import Any

from safelight.providers.protocol import Generation, Input

NAMES = {"max_tokens": "maxOutputTokens", "temperature": "temperature", "seed": "seed"}


def content_body(generation: Generation) -> dict[str, Any]:
    """The JSON of `:streamGenerateContent`."""
    given = {theirs: generation.params.get(ours) for ours, theirs in NAMES.items()}
    configuration = {name: value for name, value in given.items() if value is not None}
    parts = [*map(_picture, generation.inputs), {"text": generation.prompt}]
    return {"contents": [{"role": "user", "parts": parts}], "generationConfig": configuration}


def _picture(picture: Input) -> dict[str, Any]:
    return {"inline_data": {"mime_type": picture.mime, "data": base64.b64encode(picture.data).decode()}}
