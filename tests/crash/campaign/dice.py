"""Dice that can be thrown again: the seed decides everything, also whose turn it is among crash points."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random


class Dice(Random):
    """Runs whose seeds follow one another take the crash points one after the other, instead of some of them often."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._turn = seed

    def in_turn(self, points: Sequence[str]) -> str:
        """The point this run is for."""
        return points[self._turn % len(points)]
