"""A step from one world to the next, and who brings it about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from tests.unit.model.world import World

NAMES = "AB"
"""The two workers."""

By = Literal["worker", "zombie", "sweep", "deadline", "care", "provider", "user", "fate"]
"""A zombie is a worker that was declared lost and goes on; fate kills and freezes processes."""


class Step(NamedTuple):
    by: By
    text: str
    world: World


Moves = Iterator[tuple[str, World]]
"""What a worker does, in words, and the world after it. `provider ...` is the provider's doing."""
