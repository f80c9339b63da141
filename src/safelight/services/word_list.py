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


class WordList:
    """Made from the lines of a file: a word or a phrase each; what follows a `#` is a comment."""

    def __init__(self, lines: list[str]) -> None:
        words = sorted({_plain(line.partition("#")[0]) for line in lines} - {""}, key=len, reverse=True)
        each = "|".join(re.escape(word) for word in words)
        self._pattern = re.compile(rf"(?<!\w)(?:{each})(?!\w)") if words else None

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
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    seen = "".join(character for character in folded if unicodedata.category(character) != "Cf")
    return " ".join(seen.split())
