"""What the film renderer is asked for, read from a generation's parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass

from safelight.children.errands import out_of_bounds, refused, whole
from safelight.domain.outcomes import ProviderError
from safelight.providers.protocol import Generation

SMALLEST_PX, LARGEST_PX = 128, 1920
SHORTEST_S, LONGEST_S = 1, 10
SLOWEST_FPS, QUICKEST_FPS = 8, 30


@dataclass(frozen=True, slots=True)
class VideoOrder:
    """One film of the prompt."""

    prompt: str
    seed: int
    width: int
    height: int
    fps: int
    duration_s: float

    @property
    def frames(self) -> int:
        return round(self.fps * self.duration_s)


def read_video_order(generation: Generation) -> VideoOrder | ProviderError:
    """The order, or why it cannot be filmed. The catalog validated; this guards against a changed catalog."""
    params = generation.params
    if generation.kind != "video":
        return refused(f"The film renderer makes films, not kind {generation.kind!r}.")
    found: dict[str, int] = {}
    for name, default, low, high in (
        ("width", 768, SMALLEST_PX, LARGEST_PX),
        ("height", 432, SMALLEST_PX, LARGEST_PX),
        ("fps", 24, SLOWEST_FPS, QUICKEST_FPS),
    ):
        value = whole(params, name, default)
        if value is None or not low <= value <= high:
            return out_of_bounds(params, name, low, high)
        found[name] = value
    for name in ("width", "height"):
        if found[name] % 2:
            return refused(f"{name} is {found[name]}; H.264 needs even sides: take {found[name] + 1}.")
    length = params.get("duration_s", 4)
    if isinstance(length, bool) or not isinstance(length, int | float) or not math.isfinite(length):
        return refused(f"duration_s is {length!r}; it must be a number of seconds.")
    if not SHORTEST_S <= length <= LONGEST_S:
        return refused(f"duration_s is {length}; it must be from {SHORTEST_S} to {LONGEST_S} seconds.")
    seed = whole(params, "seed", 0)
    if seed is None:
        return refused(f"seed is {params['seed']!r}; it must be a whole number.")
    return VideoOrder(generation.prompt, seed, found["width"], found["height"], found["fps"], float(length))
