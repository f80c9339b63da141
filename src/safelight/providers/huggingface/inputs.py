"""From Safelight's names of parameters to those of Hugging Face's text-to-image and image-to-image tasks."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from safelight.providers.protocol import Generation

NAMES: Mapping[str, str | None] = {
    "steps": "num_inference_steps",
    "guidance": "guidance_scale",
    "format": None,
    "n": None,
    "aspect_ratio": None,
}
"""None: it has no such parameter. What is not named here goes as it is."""
ACCEPT = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


def body_of(generation: Generation) -> dict[str, Any]:
    """`{inputs, parameters}`: the prompt, or with a picture to start from that picture, and the prompt beside it."""
    parameters = {
        theirs: value for name, value in generation.params.items() if (theirs := NAMES.get(name, name)) is not None
    }
    if not generation.inputs:
        return {"inputs": generation.prompt, "parameters": parameters}
    picture = base64.b64encode(generation.inputs[0].data).decode()
    return {"inputs": picture, "parameters": {"prompt": generation.prompt, **parameters}}


def accepted_type(generation: Generation) -> str:
    return ACCEPT.get(str(generation.params.get("format", "png")), "image/png")
