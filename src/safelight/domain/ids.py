"""Ids: time-ordered UUIDs (version 7, RFC 9562) as lower-case text, and the names of users."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def new_id(now_s: Callable[[], float] = time.time, random: Callable[[int], bytes] = os.urandom) -> str:
    """A new id that sorts by creation time (milliseconds) as text."""
    stamp = int(now_s() * 1000).to_bytes(6, "big")
    noise = bytearray(random(10))
    noise[0] = 0x70 | (noise[0] & 0x0F)
    noise[2] = 0x80 | (noise[2] & 0x3F)
    text = (stamp + bytes(noise)).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_id(text: str) -> bool:
    """Whether the text has the exact form that `new_id` gives. Anything else cannot name a row."""
    return _CANONICAL.fullmatch(text) is not None


LONGEST_USER_ID = 200


def is_user_id(text: str) -> bool:
    """Whether an account may carry this name: printable, and no blanks around it that nobody would see."""
    return 0 < len(text) <= LONGEST_USER_ID and text.isprintable() and text == text.strip()
