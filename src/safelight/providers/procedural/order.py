"""What the renderer is asked to draw, read from a generation's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safelight.domain.outcomes import ErrorClass, ProviderError
from safelight.providers.protocol import Generation

MIMES = {"png": "image/png", "webp": "image/webp", "jpeg": "image/jpeg"}
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
        return _refused(f"The procedural renderer draws pictures, not kind {generation.kind!r}.")
    numbers = {
        "width": (_whole(params, "width", 1024), SMALLEST_PX, LARGEST_PX),
        "height": (_whole(params, "height", 1024), SMALLEST_PX, LARGEST_PX),
        "n": (_whole(params, "n", 1), 1, MOST_PICTURES),
    }
    for name, (value, low, high) in numbers.items():
        if value is None or not low <= value <= high:
            return _refused(f"{name} is {params.get(name)!r}; it must be a whole number from {low} to {high}.")
    seed = _whole(params, "seed", 0)
    if seed is None:
        return _refused(f"seed is {params['seed']!r}; it must be a whole number.")
    kind = params.get("format") or "png"
    if kind not in MIMES:
        return _refused(f"format is {kind!r}; it must be one of {', '.join(MIMES)}.")
    width, height, n = (value or 0 for value, _, _ in numbers.values())
    return Order(generation.prompt, seed, width, height, n, kind)


def _whole(params: Mapping[str, Any], name: str, default: int) -> int | None:
    """The parameter as a whole number; the default where it is absent; None where it is something else."""
    value = params.get(name)
    if value is None:
        return default
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _refused(message: str) -> ProviderError:
    return ProviderError(ErrorClass.INVALID_REQUEST, message)
