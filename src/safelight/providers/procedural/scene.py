"""A prompt and a seed become a Scene: everything a picture is about, decided before any size is known."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from safelight.providers.procedural.palette import Palette, palette_for
from safelight.providers.procedural.words import HOME_OF, Reading, canonical, read_prompt

SCENIC = ("ocean", "mountains", "meadow", "desert", "lake", "forest", "coast", "river")
HORIZONS = {
    "ocean": 0.56, "coast": 0.58, "lake": 0.58, "river": 0.54, "mountains": 0.66, "forest": 0.66, "desert": 0.5,
    "meadow": 0.52, "city": 0.74, "road": 0.56, "space": 0.9, "cloister": 0.8, "studio": 0.8, "abstract": 0.6,
}  # fmt: skip
IMPLIED = {
    "castle": {"medieval"},
    "palm": {"tropical", "island", "lagoon"},
    "house": {"village", "farm"},
    "car": {"road", "highway", "street"},
}
SCENIC_IN = {
    "snow": ("mountains", "forest", "meadow", "lake"),
    "fog": ("forest", "mountains", "lake"),
    "storm": ("ocean", "coast"),
    "rain": ("city", "forest", "lake"),
    "aurora": ("lake", "mountains", "forest"),
}
MOST_SUBJECTS = 2
ANY_TIME = ("morning", "noon", "sunset", "sunset", "dawn", "dusk", "night")
TIME_FOR_SUBJECTS = ("morning", "noon", "sunset", "dawn", "morning", "dusk")
TIMES_FOR_WEATHER = {"storm": ("noon", "dusk"), "rain": ("noon", "dusk", "morning"), "aurora": ("night",),
                     "snow": ("morning", "dawn", "noon", "dusk"), "fog": ("dawn", "morning", "dusk")}  # fmt: skip
SUN_HEIGHTS = {"dawn": (0.03, 0.12), "morning": (0.3, 0.5), "noon": (0.55, 0.78), "sunset": (0.03, 0.13),
               "dusk": (-0.08, 0.0), "night": (0.45, 0.78)}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """All that is decided about one picture. Lengths are shares: of the width for x, of the height for y."""

    key: str
    """Canonical prompt and seed; every part draws its own numbers from it by `rng(topic)`."""
    reading: Reading
    place: str
    subjects: tuple[str, ...]
    """At most two, first mentioned first."""
    time: str
    weather: str
    palette: Palette
    horizon: float
    sun_x: float
    sun_y: float
    subject_x: float
    subject_size: float
    """1 is the subject's usual size."""
    mirrored: bool
    at_s: float = 0.0
    """Of a film: seconds since it began. A picture is the moment 0."""

    def rng(self, topic: str) -> np.random.Generator:
        """Random numbers for one topic: the same for the same prompt and seed, whatever else is drawn."""
        digest = hashlib.sha256(f"{self.key}\n{topic}".encode("utf-8", "surrogatepass")).digest()
        return np.random.default_rng(int.from_bytes(digest[:16], "big"))

    @property
    def dark(self) -> bool:
        return self.time == "night" or (self.time == "dusk" and self.palette.sun_strength < 0.5)

    @property
    def snowy(self) -> bool:
        return self.weather == "snow"

    @property
    def neon(self) -> bool:
        return self.reading.style == "neon"


def compose(prompt: str, seed: int) -> Scene:
    """Decide on a picture. The words choose what is known; the seed decides everything they leave open."""
    reading = read_prompt(prompt)
    key = f"{canonical(prompt)}\n{seed}"
    digest = hashlib.sha256(f"{key}\ncomposition".encode("utf-8", "surrogatepass")).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:16], "big"))
    choice, variant, across, up, jitter, turn, size, side = rng.random(8).tolist()
    subjects = (reading.subjects or _implied_subjects(reading))[:MOST_SUBJECTS]
    place = _place(reading, subjects, choice)
    weather = reading.weather or "fair"
    time = reading.time or _time(place, weather, reading, subjects, rng.random())
    horizon = HORIZONS[place] + (jitter - 0.5) * 0.1
    low, high = SUN_HEIGHTS[time]
    mirrored = bool(side < 0.5)
    sun_x = 0.5 + (0.06 + 0.26 * across) * (1 if mirrored else -1)
    return Scene(
        key=key,
        reading=reading,
        place=place,
        subjects=subjects,
        time=time,
        weather=weather,
        palette=palette_for(time, weather, reading.tints, reading.style, float(variant), float((turn - 0.5) * 16)),
        horizon=float(horizon),
        sun_x=float(sun_x),
        sun_y=float(horizon - (low + (high - low) * up) * horizon),
        subject_x=float(0.5 + (0.05 + 0.14 * choice) * (-1 if mirrored else 1)),
        subject_size=float(0.9 + 0.22 * size),
        mirrored=mirrored,
    )


def _place(reading: Reading, subjects: tuple[str, ...], choice: float) -> str:
    if reading.place:
        return reading.place
    homes = [HOME_OF[subject] for subject in subjects]
    if homes:
        return next((home for home in homes if home != "studio"), homes[0])
    if reading.says_nothing_known:
        return "abstract"
    options = SCENIC_IN.get(reading.weather or "", SCENIC)
    return options[int(choice * len(options))]


def _implied_subjects(reading: Reading) -> tuple[str, ...]:
    """Some words are hardly thinkable without one."""
    return tuple(subject for subject, words in IMPLIED.items() if reading.words & words)


def _time(place: str, weather: str, reading: Reading, subjects: tuple[str, ...], choice: float) -> str:
    if reading.style == "neon" or place == "space" or "owl" in subjects:
        return "night"
    options = TIMES_FOR_WEATHER.get(weather, TIME_FOR_SUBJECTS if subjects else ANY_TIME)
    return options[int(choice * len(options))]
