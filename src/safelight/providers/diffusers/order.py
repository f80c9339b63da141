"""What a pipeline is asked for, read from a generation's parameters."""

from __future__ import annotations

from dataclasses import dataclass

from safelight.children.errands import out_of_bounds, refused, whole
from safelight.domain.outcomes import ProviderError
from safelight.providers.formats import MIMES
from safelight.providers.protocol import Generation

LARGEST_PX = 4096
MOST_STEPS = 500
MOST_PICTURES = 10


@dataclass(frozen=True, slots=True)
class Order:
    """`n` pictures with seeds `seed`, `seed + 1`, ... What is None is left to the pipeline."""

    model: str
    """A folder, or a name in this machine's own cache of the Hugging Face hub."""
    prompt: str
    negative_prompt: str | None
    seed: int
    n: int
    width: int | None
    height: int | None
    steps: int | None
    guidance: float | None
    format: str

    @property
    def mime(self) -> str:
        return MIMES[self.format]


def read_order(generation: Generation) -> Order | ProviderError:
    """The order, or why it is refused: each model's own limits are in its catalog entry, these are for all."""
    params = generation.params
    if generation.kind != "image":
        return refused(f"A pipeline of diffusers makes pictures here, not kind {generation.kind!r}.")
    if generation.inputs:
        return refused("It makes pictures from words alone and takes no picture.")
    found: dict[str, int] = {}
    for name, default, low, high in (
        ("seed", 0, 0, (1 << 63) - 1),
        ("n", 1, 1, MOST_PICTURES),
        ("width", 0, 8, LARGEST_PX),
        ("height", 0, 8, LARGEST_PX),
        ("steps", 0, 1, MOST_STEPS),
    ):
        value = whole(params, name, default)
        if value is None or (name in params and not low <= value <= high):
            return out_of_bounds(params, name, low, high)
        found[name] = value
    for name in ("width", "height"):
        if found[name] % 8:
            return refused(f"{name} is {found[name]}; pipelines need sides that are multiples of 8.")
    guidance = params.get("guidance")
    if guidance is not None and (isinstance(guidance, bool) or not isinstance(guidance, int | float)):
        return refused(f"guidance is {guidance!r}; it must be a number.")
    kind = params.get("format") or "png"
    if kind not in MIMES:
        return refused(f"format is {kind!r}; it must be one of {', '.join(MIMES)}.")
    return Order(
        model=generation.model,
        prompt=generation.prompt,
        negative_prompt=params.get("negative_prompt") or None,
        seed=found["seed"],
        n=found["n"],
        width=found["width"] or None,
        height=found["height"] or None,
        steps=found["steps"] or None,
        guidance=None if guidance is None else float(guidance),
        format=kind,
    )
