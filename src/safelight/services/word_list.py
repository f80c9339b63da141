"""A prompt hook that comes with Safelight: it refuses prompts that hold one of an operator's words.

Whole words only, without regard to case, to how a letter is composed, or to invisible characters between letters.
Spelling tricks such as digits for letters are not seen through.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from safelight.domain.errors import BadSettings, Remedy
from safelight.services.screening import Asked

_IGNORABLE = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x3164, 0xFFA0}
    | {*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)}
)
"""What Unicode has readers ignore (Default_Ignorable_Code_Point) beside characters of the category Cf."""


class WordList:
    """Made from the lines of a file: a word or a phrase each; what follows a `#` is a comment."""

    def __init__(self, lines: list[str]) -> None:
        words = sorted({_plain(line.partition("#")[0]) for line in lines} - {""}, key=len, reverse=True)
        each = "|".join(re.escape(word) for word in words)
        self._pattern = re.compile(rf"(?<![^\W_])(?:{each})(?![^\W_])") if words else None

    def __call__(self, asked: Asked) -> str | None:
        found = self._pattern.search(_plain(asked.prompt)) if self._pattern else None
        return f"it holds {found[0]!r}, which is not allowed here" if found else None


def read_word_list(path: Path) -> WordList:
    """Raises BadSettings."""
    try:
        return WordList(path.read_text("utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadSettings(
            f"The words to refuse cannot be read from {path}: {reason}.",
            remedy=Remedy("Correct SAFELIGHT_REFUSED_WORDS, or leave it unset.", "safelight settings"),
        ) from error


def _plain(text: str) -> str:
    """One spelling of each letter, small, with single blanks, and nothing that cannot be seen."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", _seen(text)).casefold())
    return " ".join(_seen(folded).split())


def _seen(text: str) -> str:
    """Without what keeps letters apart, or from being composed, unseen."""
    return "".join(each for each in text if ord(each) not in _IGNORABLE and unicodedata.category(each) != "Cf")
