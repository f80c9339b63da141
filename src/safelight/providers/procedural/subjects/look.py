"""What a subject may know about the picture it stands in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from safelight.providers.procedural.colour import Array, rgb
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.words import COLOURS

LAMP = "#ffd27a"
"""The colour of lamplight in windows."""


@dataclass(frozen=True)
class Look:
    """Ten numbers 0..1 to vary with, the colour asked for if any, and whether its lamps are lit."""

    scene: Scene
    draws: Array
    colour: Array | None
    lamps_lit: bool

    def colour_or(self, *choices: str) -> Array:
        """The colour asked for, or one of the usual ones."""
        if self.colour is not None:
            return self.colour
        return rgb(choices[int(self.draws[9] * len(choices))])

    def says(self, *words: str) -> bool:
        return not self.scene.reading.words.isdisjoint(words)


def look_at(scene: Scene) -> Look:
    """The look of the scene's subject."""
    name = scene.reading.subject_colour
    colour = rgb(COLOURS[name].split()[0]) if name else None
    lit = scene.time in ("night", "dusk", "sunset", "dawn") or scene.weather in ("storm", "rain", "fog")
    return Look(scene, np.asarray(scene.rng("look").random(10)), colour, lit)
