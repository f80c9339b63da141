"""Text from the words of a prompt and a seed: a scene in prose, a haiku, or a list, from sentences written by people.

Deterministic, and labelled in its first line: nobody is to take it for a language model's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random

from safelight.providers.procedural import phrases
from safelight.providers.procedural.words import HOME_OF, Reading, canonical, read_prompt

LABEL = "[Placeholder text, composed by a program from the words of the prompt. Not AI.]"
_ASKING_WORDS = """
    write tell give create compose make generate need want please could would can you me about what how why who where
    when which is are was were do does short long brief text story tale poem haiku verse list ideas names titles title
    name idea description paragraph article blog post essay product slogan headline caption explain describe summarize
    suggest words sentences lines some one two three four five six seven eight nine ten it i we using use be has have
    had will shall should not no so as if but then than there here new
"""
_ASKING = frozenset(_ASKING_WORDS.split())


def compose_text(prompt: str, seed: int) -> str:
    """The same prompt and seed give the same text."""
    key = f"{canonical(prompt)}\n{seed}\ntext"
    rng = Random(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest())  # noqa: S311 - no secret is made of it
    reading = read_prompt(prompt)
    topic = _topic(reading)
    if reading.words & {"haiku", "poem", "verse", "poetry"}:
        body = _verses(rng, reading)
    elif reading.words & {"list", "ideas", "names", "titles", "slogans", "headlines", "steps"}:
        body = _list(rng, topic)
    elif reading.says_nothing_known and topic != "this":
        body = _about(rng, topic)
    else:
        body = _scene(rng, reading, topic)
    return f"{LABEL}\n\n{body}\n"


def _topic(reading: Reading) -> str:
    """What it is about, in the prompt's own words; most of all those that no picture could show."""
    words = [word for word in reading.unknown if word not in _ASKING and not word.isdigit()]
    if words:
        return " ".join(words[:3])
    if reading.subjects:
        return f"the {reading.subjects[0]}"
    return f"the {reading.place}" if reading.place else "this"


def _scene(rng: Random, reading: Reading, topic: str) -> str:
    """A title and three short paragraphs: where and when, who, and what remains."""
    homes = [HOME_OF[name] for name in reading.subjects]
    place = reading.place or (homes or [rng.choice(sorted(phrases.PLACES))])[0]
    time = reading.time or rng.choice(sorted(phrases.TIMES))
    setting = [rng.choice(phrases.TIMES[time]), rng.choice(phrases.PLACES[place])]
    if reading.weather in phrases.WEATHERS:
        setting.insert(1, rng.choice(phrases.WEATHERS[reading.weather]))
    middle = [rng.choice(phrases.SUBJECTS[name]) for name in reading.subjects if name in phrases.SUBJECTS][:2]
    if not middle:
        middle = rng.sample(phrases.WITNESSES, 3)
    colour = reading.subject_colour or (reading.tints[0] if reading.tints else None)
    if colour:
        middle.append(rng.choice(phrases.COLOURS).format(colour=colour))
    ending = [rng.choice(phrases.ENDINGS)]
    if topic != "this" and not topic.startswith("the "):
        ending.insert(0, rng.choice(phrases.REMARKS).format(topic=topic))
    title = rng.choice(phrases.TITLES).format(time=time, place=place)
    return "\n\n".join([_capital(title), *map(" ".join, (setting, middle, ending))])


def _verses(rng: Random, reading: Reading) -> str:
    """Three haiku; the first two lines of the first know the place and the time."""
    fives, sevens = list(phrases.FIVES), list(phrases.SEVENS)
    rng.shuffle(fives)
    rng.shuffle(sevens)
    known = [
        phrases.FIVES_OF[name] for name in (reading.place, reading.time, reading.weather) if name in phrases.FIVES_OF
    ]
    fives = [*known, *fives]
    return "\n\n".join(f"{fives[2 * at]},\n{sevens[at]},\n{fives[2 * at + 1]}." for at in range(3))


def _list(rng: Random, topic: str) -> str:
    lines: Sequence[str] = rng.sample(phrases.ITEMS, 5)
    return "\n".join(f"{at}. {_capital(line.format(topic=topic))}" for at, line in enumerate(lines, 1))


def _about(rng: Random, topic: str) -> str:
    """Three paragraphs on a subject nobody taught us."""
    opening, ending = rng.choice(phrases.OPENINGS), rng.choice(phrases.ENDINGS)
    middle = " ".join(rng.sample(phrases.GENERAL, 3))
    return "\n\n".join(_capital(part.format(topic=topic)) for part in (opening, middle, ending))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
