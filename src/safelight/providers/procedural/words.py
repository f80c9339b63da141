"""What the words of a prompt ask for: time of day, weather, place, subject, colours, style."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

TIMES = {
    "dawn": "dawn sunrise daybreak",
    "morning": "morning spring springtime",
    "noon": "noon midday day daytime daylight summer sunny afternoon",
    "sunset": "sunset sundown golden evening autumn fall",
    "dusk": "dusk twilight gloaming",
    "night": "night midnight nighttime moonlight moonlit moon starry stars nocturnal dark darkness",
}
WEATHERS = {
    "clear": "clear cloudless",
    "cloud": "cloud cloudy overcast clouds",
    "fog": "fog foggy mist misty haze hazy smoke smoky",
    "rain": "rain rainy raining drizzle wet rainfall",
    "storm": "storm stormy thunder thunderstorm lightning tempest hurricane gale",
    "snow": "snow snowy winter blizzard snowfall snowing frost frosty ice icy frozen christmas arctic",
    "aurora": "aurora borealis northern",
}
PLACES = {
    "ocean": "ocean sea wave waves seascape atlantic pacific marine nautical",
    "coast": "coast coastal beach shore seaside bay island tropical lagoon harbor harbour cliff cliffs",
    "lake": "lake pond fjord reservoir",
    "river": "river stream creek valley waterfall brook",
    "mountains": "mountain mountains alps alpine peak peaks summit himalaya range volcano glacier hiking",
    "forest": "forest wood woods woodland jungle pine pines trees taiga",
    "desert": "desert dune dunes sahara sand mesa canyon arid pyramid pyramids",
    "meadow": "meadow field fields hill hills grass prairie countryside farm pasture garden park lavender village",
    "city": "city skyline cityscape downtown skyscraper skyscrapers metropolis urban tokyo street cyberpunk buildings",
    "space": "space planet planets galaxy nebula cosmos universe orbit mars saturn jupiter cosmic interstellar",
    "road": "road highway route motorway freeway",
    "cloister": "cloister monastery abbey cathedral church chapel temple",
    "studio": "studio headshot avatar",
}
SUBJECTS = {
    "monk": "monk friar abbot hermit priest",
    "portrait": (
        "portrait person woman man girl boy lady face selfie king queen prince princess knight wizard witch astronaut "
        "robot pirate viking warrior samurai soldier doctor chef artist grandmother grandfather child human elf hero "
        "scientist detective musician model father mother hacker android cyborg mage sorcerer headshot avatar"
    ),
    "castle": "castle fortress palace citadel kingdom",
    "cat": "cat kitten kitty feline tomcat",
    "dog": "dog puppy hound",
    "fox": "fox wolf",
    "deer": "deer stag elk reindeer moose",
    "owl": "owl",
    "bird": "bird birds seagull seagulls gull raven crow eagle geese swallow flock",
    "car": "car automobile coupe sportscar convertible taxi vehicle auto lamborghini ferrari porsche mustang",
    "sailboat": "sailboat boat yacht sailing ship sail schooner vessel",
    "lighthouse": "lighthouse beacon",
    "tree": "tree oak baobab bonsai sakura blossom willow",
    "house": "house cabin cottage hut home barn",
    "balloon": "balloon balloons",
    "rocket": "rocket spaceship spacecraft shuttle starship",
    "palm": "palm palms coconut",
    "tent": "tent camp camping campfire campsite",
    "windmill": "windmill mill",
    "flower": "flower flowers sunflower rose tulip daisy poppy lily bouquet",
    "butterfly": "butterfly moth",
    "whale": "whale orca dolphin",
    "dragon": "dragon wyvern",
    "horse": "horse stallion mare pony unicorn",
    "cactus": "cactus cacti saguaro",
}
HOME_OF = {
    "monk": "cloister", "portrait": "studio", "castle": "mountains", "cat": "meadow", "dog": "meadow", "fox": "forest",
    "deer": "forest", "owl": "forest", "bird": "lake", "car": "road", "sailboat": "ocean", "lighthouse": "coast",
    "tree": "meadow", "house": "meadow", "balloon": "meadow", "rocket": "desert", "palm": "coast", "tent": "lake",
    "windmill": "meadow", "flower": "meadow", "butterfly": "meadow", "whale": "ocean", "dragon": "mountains",
    "horse": "meadow", "cactus": "desert",
}  # fmt: skip
COLOURS = {
    "red": "#d8322f red crimson scarlet ruby",
    "orange": "#ef7d22 orange amber ginger tangerine",
    "yellow": "#f4c531 yellow gold lemon",
    "green": "#3f9b4f green emerald olive lime mint",
    "teal": "#1f9e9a teal turquoise cyan aqua",
    "blue": "#2f6fd0 blue azure navy cobalt sapphire",
    "purple": "#7d49c2 purple violet lilac indigo",
    "magenta": "#d83a9c magenta fuchsia",
    "pink": "#f08fb4 pink coral salmon",
    "brown": "#7d5236 brown chocolate chestnut",
    "black": "#22232b black ebony",
    "white": "#f1efe8 white ivory",
    "grey": "#888d96 grey gray silver",
}
STYLES = {
    "mono": "monochrome noir grayscale greyscale blackandwhite charcoal",
    "sepia": "sepia vintage retro antique daguerreotype",
    "pastel": "pastel watercolor watercolour soft dreamy delicate",
    "vivid": "vivid vibrant saturated colorful colourful psychedelic",
    "neon": "neon cyberpunk synthwave vaporwave outrun",
}
_SMALL = """
    a an the of in on at over under by with and or to from for near into onto above below beside behind very some
    his her its their is are my your our this that picture image photo photograph painting drawing illustration art
    beautiful pretty nice amazing stunning great big small little old young new high highly detailed quality 4k 8k hd
    masterpiece poster style view scene landscape wallpaper background please draw make me show
"""
SMALL_WORDS = frozenset(_SMALL.split())


def _index(table: Mapping[str, str]) -> dict[str, str]:
    return {word: name for name, words in table.items() for word in words.split() if not word.startswith("#")}


_TIMES, _WEATHERS, _PLACES = _index(TIMES), _index(WEATHERS), _index(PLACES)
_SUBJECTS, _COLOURS, _STYLES = _index(SUBJECTS), _index(COLOURS), _index(STYLES)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a prompt says, as far as it is understood; None where it says nothing."""

    time: str | None
    weather: str | None
    place: str | None
    subjects: tuple[str, ...]
    subject_colour: str | None
    tints: tuple[str, ...]
    style: str | None
    words: frozenset[str]
    unknown: tuple[str, ...]

    @property
    def says_nothing_known(self) -> bool:
        return not self.subjects and self.place is None and self.time is None and self.weather is None


def canonical(prompt: str) -> str:
    """The prompt without what nobody means: case, compatibility forms, spacing."""
    return " ".join(unicodedata.normalize("NFKC", prompt).casefold().split())


def read_prompt(prompt: str) -> Reading:
    """Find the known words, first mention first. Colours right before the subject are its own, others the picture's."""
    words = _WORD.findall(canonical(prompt))
    subject_at = next((at for at, word in enumerate(words) if _lookup(_SUBJECTS, word)), None)
    colours = [(at, found) for at, word in enumerate(words) if (found := _lookup(_COLOURS, word))]
    own = [c for at, c in colours if subject_at is not None and 0 < subject_at - at <= 2]
    return Reading(
        time=_first(_TIMES, words),
        weather=_first(_WEATHERS, words),
        place=_first(_PLACES, words),
        subjects=tuple(dict.fromkeys(found for word in words if (found := _lookup(_SUBJECTS, word)))),
        subject_colour=own[0] if own else None,
        tints=tuple(dict.fromkeys(c for _, c in colours if c not in own)),
        style=_first(_STYLES, words),
        words=frozenset(words),
        unknown=tuple(word for word in words if word not in SMALL_WORDS and not _is_known(word)),
    )


def _first(table: Mapping[str, str], words: list[str]) -> str | None:
    return next((found for word in words if (found := _lookup(table, word))), None)


def _lookup(table: Mapping[str, str], word: str) -> str | None:
    return table.get(word) or (table.get(word[:-1]) if len(word) > 3 and word.endswith("s") else None)


def _is_known(word: str) -> bool:
    return any(_lookup(table, word) for table in (_TIMES, _WEATHERS, _PLACES, _SUBJECTS, _COLOURS, _STYLES))
