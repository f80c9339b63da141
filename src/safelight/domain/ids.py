"""Ids: time-ordered UUIDs (version 7, RFC 9562) as lower-case text, and the names of users."""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Callable

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
NOISE_BYTES, DRAWN_AT_ONCE = 10, 256
_drawn: deque[bytes] = deque()
os.register_at_fork(after_in_child=_drawn.clear)  # else both would go on with the same


def system_noise() -> bytes:
    """Random bytes of the system, drawn in bulk.

    Every draw lets go of the interpreter, and where threads are busy it takes a while until one has it again.
    """
    try:
        return _drawn.popleft()
    except IndexError:
        block = os.urandom(NOISE_BYTES * DRAWN_AT_ONCE)
        _drawn.extend([block[at : at + NOISE_BYTES] for at in range(NOISE_BYTES, len(block), NOISE_BYTES)])
        return block[:NOISE_BYTES]


def new_id(now_s: Callable[[], float] = time.time, random: Callable[[], bytes] = system_noise) -> str:
    """A new id that sorts by creation time (milliseconds) as text."""
    stamp = int(now_s() * 1000).to_bytes(6, "big")
    noise = bytearray(random())
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
