"""The colours of a scene: sky, sun, light and haze for each time of day, changed by weather and by colour words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from safelight.providers.procedural.colour import Array, dyed, mix, rgb, turned
from safelight.providers.procedural.words import COLOURS

TIME_PALETTES: dict[str, tuple[str, ...]] = {
    # zenith, upper, lower, horizon; disc, glow; light multiplier, shade multiplier; haze
    "dawn": (
        "#33477f #7d83b8 #eab0b4 #ffe0bd #fff3d8 #ffc9a0 #f5d0c2 #7a7aa4 #e3b4bd",
        "#2c5c8a #7fa6c4 #f0c8be #ffe9c4 #fff6e0 #ffd9a8 #f8dcc4 #7486a6 #e9c4bb",
        "#4a3f78 #a678a8 #f29c9c #ffd6a8 #fff0cf #ffb892 #f4c4b4 #76699a #e2a3a6",
    ),
    "morning": (
        "#3f86cf #79b4e2 #b9dcec #fdf1d3 #fffbe8 #ffeeb8 #fff2d6 #8fa3bf #cfe0e6",
        "#3a9bc4 #7cc6d6 #c4e6df #fff0c9 #fffbe6 #ffedb0 #fff1d0 #8aa8b4 #d2e6de",
    ),
    "noon": (
        "#1f6fc4 #4b9be0 #8cc6ee #dff1f6 #fffdf2 #fff7d8 #fffaf0 #8fa9cf #c4dff0",
        "#2376b8 #56a9d8 #9bd3e6 #e9f5ee #fffdf2 #fff6d0 #fff9ea #8fb0c6 #cde6ea",
    ),
    "sunset": (
        "#2a2a66 #7a3f88 #e8605a #ffc267 #fff1bd #ff9a4a #ffb28a #5a4678 #e8826c",
        "#3a2150 #a23a5e #f0673c #ffd36b #fff3c0 #ffa640 #ffb57e #5d3f66 #ec8a58",
        "#1f4a6e #6f7fa0 #f0a27a #ffdd9a #fff4cf #ffb870 #ffc69a #566488 #e8aa8c",
        "#41215f #b2397a #ff7a6b #ffcf8a #fff0cc #ff8f6a #ffae9a #62437c #f08a84",
    ),
    "dusk": (
        "#10173f #33306e #8d4a86 #f09a7c #ffe2c0 #e87a7a #b98ea6 #3a3768 #8a5684",
        "#0e2140 #24466e #5a6a98 #e8a48c #ffe6cc #d88a86 #a89ab8 #34436e #6a6a94",
    ),
    "night": (
        "#050a20 #0d1c44 #1d3a6a #3d6a94 #f4f3e4 #9cc4e8 #7f9cc8 #1d2a50 #2c4d78",
        "#0a0722 #1c1448 #3a2a70 #6a5098 #f6f0e6 #b9a8ec #8f8cc8 #251f50 #4a3d7c",
        "#03141c #08303c #12525a #3a8484 #f2f5e6 #90dcc8 #94a8b8 #20344c #266468",
    ),
}


@dataclass(frozen=True)
class Palette:
    """Colours, and the two lights every surface is seen under. `haze` is what distance fades into."""

    sky: tuple[Array, Array, Array, Array]
    disc: Array
    glow: Array
    light: Array
    shade: Array
    haze: Array
    haze_density: float
    stars: float
    cover: float
    """Share of the sky under cloud."""
    sun_strength: float
    tint: Array | None = None

    def lit(self, surface: Array, sunlit: float, distance: float = 0.0) -> Array:
        """What a surface looks like, from 0 all in shade to 1 all in the light, at a distance of 0 near to 1 far."""
        seen = surface * (self.shade * (1 - sunlit) + self.light * sunlit)
        if self.tint is not None:
            seen = dyed(np.asarray(seen, np.float32), self.tint, 0.45)
        fade = 1 - np.exp(-self.haze_density * distance)
        return mix(np.clip(seen, 0, 1).astype(np.float32), self.haze, float(fade))


def palette_for(
    time: str, weather: str, tints: tuple[str, ...], style: str | None, variant: float, turn: float
) -> Palette:
    """Pick one of the time's palettes by `variant` 0..1, turn its hues a little, then let the weather at it."""
    choices = TIME_PALETTES[time]
    colours = [turned(rgb(text), turn) for text in choices[int(variant * len(choices)) % len(choices)].split()]
    zenith, upper, lower, horizon, disc, glow, light, shade, haze = colours
    dark = time == "night"
    palette = Palette(
        (zenith, upper, lower, horizon), disc, glow, light * (1.0 if dark else 1.12), shade, haze,
        haze_density=1.9, stars={"night": 1.0, "dusk": 0.5, "dawn": 0.12}.get(time, 0.0), cover=0.36, sun_strength=1.0,
    )  # fmt: skip
    palette = _weathered(palette, weather, dark)
    if style == "neon":
        palette = _neon(palette)
    for tint in tints[:1]:
        palette = _tinted(palette, rgb(COLOURS[tint].split()[0]))
    return palette


def _weathered(palette: Palette, weather: str, dark: bool) -> Palette:
    match weather:
        case "clear" | "aurora":
            return replace(palette, cover=0.08 if weather == "clear" else 0.0, haze_density=1.6)
        case "cloud":
            return replace(_greyed(palette, 0.35, 0.0), cover=0.72, sun_strength=0.6)
        case "fog":
            faded = tuple(mix(c, palette.haze, 0.35 + 0.18 * k) for k, c in enumerate(palette.sky))
            calm = replace(palette, sky=(faded[0], faded[1], faded[2], faded[3]), cover=0.2, sun_strength=0.55)
            return replace(_greyed(calm, 0.3, 0.02), haze_density=4.2, stars=palette.stars * 0.2)
        case "rain":
            return replace(_greyed(palette, 0.5, -0.07), cover=0.85, haze_density=2.8, sun_strength=0.25, stars=0.0)
        case "storm":
            return replace(_greyed(palette, 0.6, -0.16), cover=0.95, haze_density=2.2, sun_strength=0.15, stars=0.0)
        case "snow":
            return replace(
                _greyed(palette, 0.4, -0.03 if dark else 0.02), cover=0.6, haze_density=2.6, sun_strength=0.4
            )
        case _:
            return palette


def _greyed(palette: Palette, share: float, light: float) -> Palette:
    sky = tuple(turned(c, 0, 1 - share, light) for c in palette.sky)
    return replace(
        palette, sky=(sky[0], sky[1], sky[2], sky[3]), haze=turned(palette.haze, 0, 1 - share, light),
        glow=turned(palette.glow, 0, 1 - share, light), light=turned(palette.light, 0, 1 - share, light * 1.2),
        shade=turned(palette.shade, 0, 1 - share * 0.5, light * 0.5),
    )  # fmt: skip


def _tinted(palette: Palette, dye: Array) -> Palette:
    sky = tuple(dyed(c, dye, 0.6) for c in palette.sky)
    return replace(
        palette,
        sky=(sky[0], sky[1], sky[2], sky[3]),
        haze=dyed(palette.haze, dye, 0.7),
        glow=dyed(palette.glow, dye, 0.5),
        disc=dyed(palette.disc, dye, 0.2),
        tint=dye,
    )


def _neon(palette: Palette) -> Palette:
    magenta, cyan = rgb("#ff2e97"), rgb("#19d3ff")
    zenith, upper, lower, horizon = palette.sky
    sky = (dyed(zenith, rgb("#3b1d8f"), 0.7), dyed(upper, rgb("#5a1fa8"), 0.7), dyed(lower, magenta, 0.6),
           mix(horizon, rgb("#ff7ab8"), 0.4))  # fmt: skip
    return replace(palette, sky=sky, haze=mix(palette.haze, rgb("#7a2a9a"), 0.55), glow=mix(palette.glow, magenta, 0.5),
                   shade=dyed(palette.shade, rgb("#4a2a9a"), 0.5), light=dyed(palette.light, cyan, 0.25))  # fmt: skip
