"""What the renderer is asked to draw, read from a generation's parameters."""

from __future__ import annotations

from dataclasses import dataclass

from safelight.children.errands import out_of_bounds, refused, whole
from safelight.domain.outcomes import ProviderError
from safelight.providers.formats import MIMES
from safelight.providers.protocol import Generation

SMALLEST_PX, LARGEST_PX = 256, 2048
MOST_PICTURES = 10


@dataclass(frozen=True, slots=True)
class Order:
    """`n` pictures of the prompt, with seeds `seed`, `seed + 1`, ..."""

    prompt: str
    seed: int
    width: int
    height: int
    n: int
    format: str

    @property
    def mime(self) -> str:
        return MIMES[self.format]


def read_order(generation: Generation) -> Order | ProviderError:
    """The order, or why it cannot be drawn. The catalog validated already; this guards against a changed catalog."""
    params = generation.params
    if generation.kind != "image":
        return refused(f"The procedural renderer draws pictures, not kind {generation.kind!r}.")
    numbers = {
        "width": (whole(params, "width", 1024), SMALLEST_PX, LARGEST_PX),
        "height": (whole(params, "height", 1024), SMALLEST_PX, LARGEST_PX),
        "n": (whole(params, "n", 1), 1, MOST_PICTURES),
    }
    for name, (value, low, high) in numbers.items():
        if value is None or not low <= value <= high:
            return out_of_bounds(params, name, low, high)
    seed = whole(params, "seed", 0)
    if seed is None:
        return refused(f"seed is {params['seed']!r}; it must be a whole number.")
    kind = params.get("format") or "png"
    if kind not in MIMES:
        return refused(f"format is {kind!r}; it must be one of {', '.join(MIMES)}.")
    width, height, n = (value or 0 for value, _, _ in numbers.values())
    return Order(generation.prompt, seed, width, height, n, kind)
