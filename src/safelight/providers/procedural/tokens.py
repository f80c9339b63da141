"""How long a text is: a token here is a word or a mark, with the blanks before it."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\s*(?:\w+|[^\w\s])")


def tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def cut(text: str, most_tokens: int) -> str:
    """The beginning of the text, `most_tokens` long at most; a text that fits stays as it is."""
    found = tokens(text)
    return text if len(found) <= most_tokens else "".join(found[:most_tokens])
