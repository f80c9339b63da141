"""The painter's own process: `python -m safelight.providers.diffusers.painter`."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from PIL import Image

from safelight.children.errands import Errand
from safelight.children.serving import Counter, Refused, run
from safelight.domain.outcomes import ErrorClass
from safelight.providers.diffusers.loading import Shelf
from safelight.providers.diffusers.looks import look_at
from safelight.providers.diffusers.memory import ran_out_of_memory
from safelight.providers.diffusers.order import Order
from safelight.providers.encode import encode

LOADED = 0.05
"""Progress when the weights are there."""


def paint(errand: Errand, counter: Counter, shelf: Shelf) -> None:
    """Picture by picture, step by step; after each step it can be stopped."""
    order = Order(**errand.head)
    counter.stage(0.0)
    pipeline = shelf.pipeline(order.model)
    counter.stage(LOADED)
    for at in range(order.n):
        picture = _one(pipeline, order, at, counter)
        labels = {"seed": order.seed + at, "ai_generated": True, "renderer": "diffusers"}
        data = encode(picture, order.format)
        counter.file(data, order.mime, width=picture.width, height=picture.height, metadata=labels)


def _one(pipeline: Any, order: Order, at: int, counter: Counter) -> Image.Image:
    words = _words(pipeline, order, at, counter)
    try:
        with torch.inference_mode():
            result = pipeline(order.prompt, **words)
    except Exception as error:
        if not ran_out_of_memory(error):
            raise
        size = f"{order.width}x{order.height}" if order.width and order.height else "the model's own size"
        raise Refused(
            ErrorClass.INVALID_REQUEST,
            f"Memory ran out while painting at {size}. Ask for a smaller picture.",
            worn_out=True,
        ) from error
    if any(getattr(result, "nsfw_content_detected", None) or ()):
        raise Refused(ErrorClass.CONTENT_REJECTED, "The model's own safety checker held the picture back.")
    picture: Image.Image = result.images[0]
    return picture.convert("RGB")


def _words(pipeline: Any, order: Order, at: int, counter: Counter) -> dict[str, Any]:
    """The arguments, by the pipeline's own names; what it does not know is refused, not dropped."""
    known = inspect.signature(pipeline.__call__).parameters
    asked = {
        "width": order.width,
        "height": order.height,
        "num_inference_steps": order.steps,
        "guidance_scale": order.guidance,
        "negative_prompt": order.negative_prompt,
    }
    words: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if strange := [name for name in words if name not in known]:
        raise Refused(ErrorClass.INVALID_REQUEST, f"This pipeline takes no {', '.join(strange)}.")
    words["generator"] = torch.Generator("cpu").manual_seed(order.seed + at)
    if "callback_on_step_end" in known:
        words["callback_on_step_end"] = _told(order, at, counter)
    return words


def _told(order: Order, at: int, counter: Counter) -> Any:
    """Called by the pipeline after each step. That it raises when nobody wants the picture ends the pipeline's loop."""

    def after_step(pipeline: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        steps = max(step + 1, int(getattr(pipeline, "num_timesteps", 0)))
        share = (at + (step + 1) / (steps + 1)) / order.n
        counter.stage(LOADED + (1 - LOADED) * share, look_at(tensors.get("latents")))
        return tensors

    return after_step


if __name__ == "__main__":
    shelf = Shelf()
    run(lambda errand, counter: paint(errand, counter, shelf))
