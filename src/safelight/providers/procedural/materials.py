"""What the land is made of, as it looks in white light."""

from __future__ import annotations

from safelight.providers.procedural.colour import rgb

ROCK, SNOW, SAND, STONE = rgb("#837d80"), rgb("#f5f8fc"), rgb("#e8b878"), rgb("#9a8f84")
GRASS, FIELD, WHEAT, LAVENDER = rgb("#86a653"), rgb("#5f9a48"), rgb("#d9bd62"), rgb("#9277c4")
PINE, LEAF, BUSH, AUTUMN = rgb("#3d6a4e"), rgb("#5d8a3f"), rgb("#47733c"), rgb("#d07a34")
WALL, ASPHALT = rgb("#8a8f9c"), rgb("#4a4a54")
