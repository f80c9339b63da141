"""From Safelight's names of parameters to those of Replicate's models, which follow no common rule.

Models ignore what they do not know, so a parameter without an entry goes as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safelight.providers.data_uris import data_uri
from safelight.providers.protocol import Generation

COMMON: Mapping[str, str | None] = {
    "n": "num_outputs",
    "steps": "num_inference_steps",
    "guidance": "guidance_scale",
    "format": "output_format",
    "duration_s": "duration",
    "image": "image",
    "first_frame": "image",
    "last_frame": "last_frame_image",
    "mask": "mask",
}
OF_MODEL: Mapping[str, Mapping[str, str | None]] = {
    "bytedance/seedream-4": {"n": "max_images", "image": "image_input", "format": None},
    "bytedance/seedream-3": {"n": None, "format": None},
    "bytedance/seedance": {"n": None, "format": None},
    "google/imagen": {"n": None},
    "black-forest-labs/flux-1.1": {"n": None, "image": "image_prompt"},
    "black-forest-labs/flux-kontext": {"n": None, "image": "input_image"},
    "black-forest-labs/flux-dev": {"guidance": "guidance"},
    "nightmareai/real-esrgan": {"n": None, "format": None},
}
"""By the beginning of the model's name. None: the model has no such input."""
LISTS = frozenset({"image_input"})
JPEG = "jpg"
SIZED_BY_RATIO = ("bytedance/seedream-3", "black-forest-labs/flux-1.1")
"""Models that heed width and height only under the aspect ratio `custom`."""


def input_of(generation: Generation, addresses: Mapping[int, str] | None = None) -> dict[str, Any]:
    """The `input` of a prediction. `addresses` are, by place, inputs uploaded before; the others go in the text."""
    names = {**COMMON, **_own(generation.model)}
    given: dict[str, Any] = {"prompt": generation.prompt} if generation.prompt and generation.kind != "upscale" else {}
    for name, value in generation.params.items():
        if (theirs := names.get(name, name)) is not None:
            given[theirs] = JPEG if name == "format" and value == "jpeg" else value
    _settle_size(given, generation.model)
    if given.get("max_images", 1) > 1:
        given["sequential_image_generation"] = "auto"
    for place, picture in enumerate(generation.inputs):
        if (theirs := names.get(picture.role)) is not None:
            address = (addresses or {}).get(place) or data_uri(picture)
            given[theirs] = [*given.get(theirs, []), address] if theirs in LISTS else address
    return given


def _settle_size(given: dict[str, Any], model: str) -> None:
    """A width and a height together go before whatever else says how large; each family has its word for that."""
    exact = "width" in given and "height" in given
    if model.startswith("bytedance/seedream-4"):
        resolution = given.pop("resolution", None)
        if exact:
            given["size"] = "custom"
        elif resolution is not None:
            given["size"] = resolution
    elif exact and model.startswith(SIZED_BY_RATIO):
        given["aspect_ratio"] = "custom"


def _own(model: str) -> Mapping[str, str | None]:
    found: dict[str, str | None] = {}
    for beginning, names in OF_MODEL.items():
        if model.startswith(beginning):
            found.update(names)
    return found
