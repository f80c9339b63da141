"""What OpenAI is asked for pictures: our parameters under its names. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safelight.providers.protocol import Generation, Input
from safelight.providers.transport import FormFile

SAME_NAMES = ("n", "quality", "background", "moderation")
EDIT_NAMES = ("n", "quality", "background")
"""Edits know no `moderation`."""
EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


def picture_body(generation: Generation) -> dict[str, Any]:
    """The JSON of `POST /images/generations`."""
    return {"model": generation.model, "prompt": generation.prompt, **_parameters(generation.params, SAME_NAMES)}


def edit_form(generation: Generation) -> tuple[dict[str, str], list[FormFile]]:
    """The multipart of `POST /images/edits`: any number of pictures, and a mask whose transparent parts are redrawn."""
    parameters = _parameters(generation.params, EDIT_NAMES)
    form = {name: str(value) for name, value in parameters.items()}
    masks = [each for each in generation.inputs if each.role == "mask"]
    pictures = [each for each in generation.inputs if each.role != "mask"]
    files = [("image[]", _file(picture, n)) for n, picture in enumerate(pictures)]
    files += [("mask", _file(mask, n)) for n, mask in enumerate(masks)]
    return {"model": generation.model, "prompt": generation.prompt, **form}, files


def _parameters(params: Mapping[str, Any], same: tuple[str, ...]) -> dict[str, Any]:
    found = {name: params[name] for name in same if params.get(name) is not None}
    if params.get("width") and params.get("height"):
        found["size"] = f"{params['width']}x{params['height']}"
    if params.get("format"):
        found["output_format"] = params["format"]
    return found


def _file(picture: Input, n: int) -> tuple[str, bytes, str]:
    return f"{picture.role}-{n}.{EXTENSIONS.get(picture.mime, 'bin')}", picture.data, picture.mime
