"""What the stand-ins of text models write: not a model's words, but with all that a stream can do to them."""

from __future__ import annotations

import re
import zlib

from safelight.testing.tiny_http import Reply

_WORDS = re.findall(r"\w+", "the lamp glows red over a quiet tray while an image appears slowly on wet paper")
_MOST = re.compile(r"\bwords=(\d+)")
USUAL_WORDS = 12
PIECE_BYTES = 61


def tale(prompt: str) -> str:
    """A few words (`words=40` in the prompt for another number), the same for the same prompt."""
    found = _MOST.search(prompt)
    count, seed = int(found[1]) if found else USUAL_WORDS, zlib.crc32(prompt.encode())
    words = [_WORDS[(seed + 7 * n) % len(_WORDS)] for n in range(count)]
    return f"Stand-in: {' '.join(words)} - 暗室 🦊\u2028fin."


def tokens_of(text: str) -> list[str]:
    """The text in the pieces in which a model writes it."""
    return re.findall(r"\S+\s*|\s+", text)


def streamed(events: list[bytes], seconds: float) -> Reply:
    """Events within about so many seconds, in pieces that respect neither lines nor letters, as by a network."""
    data = b"".join(events)
    pieces = tuple(data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES))
    return Reply(200, pieces, pause_s=seconds / len(pieces))
