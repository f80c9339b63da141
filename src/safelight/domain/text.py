"""Text from outside, made fit to be stored by every database and shown to people."""

from __future__ import annotations

import re

from safelight.domain.secrets import without_secrets

MOST_CHARS = 2000
LONGEST_TEXT = 2_000_000
"""Several times what the largest model writes at once: a stream without an end must not fill the database."""
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Postgres refuses NUL, UTF-8 has no half surrogates, and a terminal obeys the other control characters."""


def presentable(text: str, most_chars: int = MOST_CHARS) -> str:
    """The text with a mark in place of each key and of each character that cannot be kept, cut to `most_chars`."""
    text = without_secrets(text)  # before the cut, which would leave half a key
    cut = text if len(text) <= most_chars else f"{text[: most_chars - 1]}…"
    return _UNFIT.sub("\ufffd", cut)


def storable(text: str) -> str:
    """What a text model wrote, with the same marks. Longer than a row should be, it is cut."""
    return presentable(text, LONGEST_TEXT)
